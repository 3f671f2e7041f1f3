const express = require("express");

const app = express();

app.get("/", (request, response) => response.send("Hello from a Micro"));

module.exports = app;
