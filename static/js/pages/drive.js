/** The page of one Drive. Each part finds its own elements; what they share is in drive/context.js. */

import "./drive/open_download_copy.js";
import "./drive/deletion.js";
import "./drive/drag_and_drop.js";
import "./drive/duplication.js";
import "./drive/menus.js";
import "./drive/preview.js";
import "./drive/renaming.js";
import "./drive/file_rows.js";
import "./drive/folder_sizes.js";
import "./drive/grid.js";
import "./drive/moves.js";
import "./drive/share_links.js";
import "./drive/upload_tray.js";
import "./drive/navigation.js";
import "./row_menus.js";
import "./switcher.js";

export { upload } from "./drive/uploads.js";
