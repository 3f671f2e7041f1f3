/** What every page does: dialogs, the command palette, copying, toasts. Each part finds its own elements. */

import "./copy.js";
import "./dialogs.js";
import "./palette.js";
import "./toasts.js";
