/** What every page does: dialogs, the command palette, copying, toasts. Each part finds its own elements. */

import "./clipboard.js";
import "./htmx_dialog.js";
import "./command_palette.js";
import "./toasts.js";
