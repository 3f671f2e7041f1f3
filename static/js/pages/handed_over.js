/**
 * What one page of a Base asks its table to stage: kept in the tab between the two, and taken once. It is what was asked for, not
 * what it comes to, which the table asks the server.
 */

/** @param {HTMLElement} root has `data-person` and `data-page-url`, the address of the table */
function keyOf({ dataset }) {
  return `homeport:bring-back:${dataset.person}:${dataset.pageUrl}`;
}

/** Leave it for the table and go there. @param {HTMLElement} root @param {Record<string, unknown>} asked */
export function handOver(root, asked) {
  sessionStorage.setItem(keyOf(root), JSON.stringify(asked));
  location.assign(root.dataset.pageUrl);
}

/** What was left, if anything; it is gone then. @param {HTMLElement} root @returns {Record<string, unknown>|null} */
export function takeOver(root) {
  try {
    const left = sessionStorage.getItem(keyOf(root));
    sessionStorage.removeItem(keyOf(root));
    return left === null ? null : JSON.parse(left);
  } catch {
    return null;
  }
}
