/** Names that exist already: asking once, for one or for all, and what is uploaded then. */

/**
 * Ask about each file whose name is taken, until an answer counts for all.
 * @template {{name: string}} T
 * @param {T[]} files to upload
 * @param {Iterable<string>} taken names that exist
 * @param {(file: T, left: number) => Promise<{choice: string, forAll: boolean} | null>} ask
 *   `choice`: "replace", "keep-both" or "skip"; `left`: how many are to be asked about after this one; null stops everything
 * @returns {Promise<(T & {ifExists: string})[] | null>} what to upload, and what the server shall do about the name; null when stopped
 */
export async function decideClashes(files, taken, ask) {
  const exists = new Set(taken);
  let left = files.filter((file) => exists.has(file.name)).length;
  let forAll = null;
  const decided = [];
  for (const file of files) {
    if (!exists.has(file.name)) {
      // Somebody else may take the name before this file arrives: the server says so then, and the person is asked.
      decided.push({ ...file, ifExists: "fail" });
      continue;
    }
    left -= 1;
    const choice = forAll ?? (await askOnce(file, left));
    if (choice === null) return null;
    if (choice !== "skip") decided.push({ ...file, ifExists: choice });
  }
  return decided;

  async function askOnce(file, leftAfter) {
    const answer = await ask(file, leftAfter);
    if (answer === null) return null;
    if (answer.forAll) forAll = answer.choice;
    return answer.choice;
  }
}

/**
 * Of several files on their way to one name only the last would stay: all but the last are given up for it.
 * That happens when a person drops the same file twice, or two folders that hold the same paths.
 */
export function dropDoubles(files) {
  return [...new Map(files.map((file) => [file.name, file])).values()];
}
