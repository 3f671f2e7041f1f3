/** What to tell a person when a request of the page's own failed. */

/**
 * @param {number} status of the response, 0 when none came
 * @returns {string} what happened and what to do
 */
export function describeFault(status) {
  if (status === 0) return "The server does not answer. Is it running? Try again in a moment.";
  if (status === 403) return "That was refused: the form is too old, or your role does not allow it. Reload the page.";
  if (status === 404) return "That is not there any more. Reload the page.";
  if (status === 503) return "The database does not answer at the moment. Nothing was changed; try again.";
  return `The server answered with an error (${status}). Its log says more.`;
}
