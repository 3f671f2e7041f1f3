/** Server-sent events out of the text that comes in, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. */

/** @typedef {{event: string, data: string}} StreamEvent */

/**
 * Takes texts as they come, cut anywhere.
 * @returns {{read: (text: string) => StreamEvent[], place: () => string|null}} `read`: the events that are whole now; `place`: the last
 *   id that came, which is where to go on, also without an event behind it
 */
export function createEventReader() {
  let rest = "";
  let place = null;
  let event = "";
  let data = [];

  function readLine(line, found) {
    if (line === "") {
      if (data.length > 0) found.push({ event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "id") place = value;
    else if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }

  return {
    read(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      const found = [];
      for (const line of lines) readLine(line.replace(/\r$/, ""), found);
      return found;
    },
    place: () => place,
  };
}
