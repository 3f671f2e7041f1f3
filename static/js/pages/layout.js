/** What every page does: dialogs, the command palette, copying, toasts. Each part finds its own elements. */

import "./clipboard.js";
import "./dialogs.js";
import "./downloads.js";
import "./command_palette.js";
import "./tabs.js";
import "./scroll_edges.js";
import "./side_list.js";
import "./theme.js";
import "./toasts.js";
