// Serves a Micro that is written for Node: `node start.cjs [FOLDER OF THE APP] [FOLDER OF ITS PACKAGES]`.
//
// Reads nothing of the server's: it finds a listening socket at descriptor 3 and a control socket at 4.
"use strict";

const { run } = require("./micro.cjs");

run(process.argv[2] || "/app", process.argv[3] || "/deps");
