/** The URLs of one Drive's pages. What a page shows is in its URL, and nowhere else. */

/**
 * What a page of the Drive shows.
 * @typedef {{folder: string, sort: string, q: string, file: string}} Route
 */

/** @returns {Route} what the query of a URL asks for */
export function readRoute(search) {
  const query = new URLSearchParams(search);
  return {
    folder: query.get("folder") ?? "",
    sort: query.get("sort") ?? "",
    q: query.get("q") ?? "",
    file: query.get("file") ?? "",
  };
}

/** The address of a route: only what differs from the plain page stands in it. `rest` adds further fields. */
export function routeUrl(base, route, rest = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...route, ...rest })) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${base}?${text}` : base;
}

/** The address of something about one file: `file/`, `preview/`, `copy/`. */
export function fileUrl(base, kind, name) {
  return `${base}${kind}/?name=${encodeURIComponent(name)}`;
}

/** Whether two routes list the same entries, whatever file is open above them. */
export function isSameList(one, other) {
  return one.folder === other.folder && one.sort === other.sort && one.q === other.q;
}
