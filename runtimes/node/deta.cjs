// What an app gets as `deta`: the npm package that it brings, with `App` and `app`, which some versions of it lack.
"use strict";

const { App, app } = require("./detalib.cjs");
const { publishedDeta } = require("./resolving.cjs");

const published = require(publishedDeta());

exports.Base = published.Base;
exports.Deta = published.Deta;
exports.Drive = published.Drive;
exports.App = App;
exports.app = app;
