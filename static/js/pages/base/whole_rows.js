/** Rows with every value fetched, and why not where that fails. */

import { RequestError } from "../../lib/requests.js";
import { showToast } from "../toasts.js";

/** @returns {Promise<any|null>} the row; null, said why, when it is not to be had */
export async function fetchWhole(loader, row) {
  try {
    const all = await loader.wholeRow(row);
    if (all) return all;
    showToast(`${row.key} no longer exists.`, { isError: true });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showToast("The server does not answer. Try again in a moment.", { isError: true });
  }
  return null;
}
