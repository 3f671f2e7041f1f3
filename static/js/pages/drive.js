/** The page of one Drive. Each part finds its own elements; what they share is in drive/place.js. */

import "./drive/actions.js";
import "./drive/deleting.js";
import "./drive/drop.js";
import "./drive/menus.js";
import "./drive/preview.js";
import "./drive/renaming.js";
import "./drive/rows.js";
import "./drive/tidying.js";
import "./drive/tray.js";
import "./drive/view.js";
