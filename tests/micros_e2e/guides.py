"""The original's guides, as people followed them: each is the files that they were told to make."""

FASTAPI = {
    "main.py": """
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def read_root():
    return {"Hello": "World"}

@app.get("/items/{item_id}")
def read_item(item_id: int, q: str | None = None):
    return {"item_id": item_id, "q": q}
""",
    "requirements.txt": "fastapi\n",
}

FLASK = {
    "main.py": """
from flask import Flask

app = Flask(__name__)

@app.route('/', methods=["GET"])
def hello_world():
    return "Hello World"
""",
    "requirements.txt": "flask\n",
}

EXPRESS = {
    "index.js": """
const express = require('express');

const app = express();

app.get('/', (req, res) => {
  res.send('Hello World!');
});

// export 'app'
module.exports = app;
""",
    "package.json": '{"name": "hello", "version": "1.0.0", "main": "index.js", "dependencies": {"express": "^4.17.1"}}',
}

KOA = {
    "index.js": """
const Koa = require('koa');
const app = new Koa();

app.use(async ctx => {
  ctx.body = 'Hello World';
});

module.exports = app;
""",
    "package.json": '{"name": "hello-koa", "version": "1.0.0", "main": "index.js", "dependencies": {"koa": "^2.13.1"}}',
}

FORM_FLASK = {
    "main.py": """
from flask import Flask, request, redirect
from deta import Deta

app = Flask(__name__)
deta = Deta()
contacts = deta.Base("contacts")

@app.route("/", methods=["GET"])
def form():
    return '''<form action="/contact" method="post">
  <input name="name"><input name="email" type="email"><textarea name="message"></textarea>
  <input type="submit">
</form>'''

@app.route("/contact", methods=["POST"])
def contact():
    name, email = request.form["name"], request.form["email"]
    contacts.put({"name": name, "email": email, "message": request.form.get("message")}, key=email)
    return redirect("/thanks", code=303)

@app.route("/thanks")
def thanks():
    return "Thanks, " + str(len(contacts.fetch().items)) + " wrote to us."
""",
    "requirements.txt": "flask\ndeta\n",
}

FORM_EXPRESS = {
    "index.js": """
const express = require('express');
const { Deta } = require('deta');

const deta = Deta();
const contacts = deta.Base('contacts');
const app = express();
app.use(express.urlencoded({ extended: true }));

app.get('/', (req, res) => {
  res.send(`<form action="/contact" method="post"><input name="name"><input name="email"><input type="submit"></form>`);
});

app.post('/contact', async (req, res) => {
  const { name, email, message } = req.body;
  await contacts.put({ name, email, message }, email);
  res.redirect(303, '/thanks');
});

app.get('/thanks', async (req, res) => {
  const { items } = await contacts.fetch();
  res.send(`Thanks, ${items.length} wrote to us.`);
});

module.exports = app;
""",
    "package.json": (
        '{"name": "form", "version": "1.0.0", "main": "index.js", "dependencies": {"express": "^4.17.1", "deta": "^1.0.1"}}'
    ),
}

WEBHOOK = {
    "main.py": """
from deta import Deta
from fastapi import FastAPI, Request

app = FastAPI()
events = Deta().Base("webhooks")

@app.post("/webhooks")
async def webhook(request: Request):
    event = await request.json()
    print("received", event["type"])
    events.put({"event": event, "signature": request.headers.get("x-signature")})
    return "ok"
""",
    "requirements.txt": "fastapi\n",
}

IMAGES = {
    "main.py": '''
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import HTMLResponse, StreamingResponse
from deta import Deta

app = FastAPI()
deta = Deta()
drive = deta.Drive("images")

@app.get("/", response_class=HTMLResponse)
def render():
    return """
    <form action="/upload" enctype="multipart/form-data" method="post">
        <input name="file" type="file">
        <input type="submit">
    </form>
    """

@app.post("/upload")
def upload_img(file: UploadFile = File(...)):
    name = file.filename
    f = file.file
    res = drive.put(name, f)
    return res

@app.get("/download/{name}")
def download_img(name: str):
    res = drive.get(name)
    return StreamingResponse(res.iter_chunks(1024), media_type="image/png")
''',
    "requirements.txt": "fastapi\npython-multipart\ndeta\n",
}

IMAGES_EXPRESS = {
    "index.js": """
const express = require('express');
const upload = require('express-fileupload');
const { Deta } = require('deta');

const app = express();
app.use(upload());

const deta = Deta();
const drive = deta.Drive('images');

app.get('/', (req, res) => {
  res.send(`
    <form action="/upload" enctype="multipart/form-data" method="post">
      <input type="file" name="file">
      <input type="submit" value="Upload">
    </form>`);
});

app.post('/upload', async (req, res) => {
  const name = req.files.file.name;
  const contents = req.files.file.data;
  const img = await drive.put(name, { data: contents });
  res.send(img);
});

app.get('/download/:name', async (req, res) => {
  const name = req.params.name;
  const img = await drive.get(name);
  const buffer = await img.arrayBuffer();
  res.send(Buffer.from(buffer));
});

module.exports = app;
""",
    "package.json": (
        '{"name": "images", "version": "1.0.0", "main": "index.js", "dependencies":'
        ' {"express": "^4.17.1", "express-fileupload": "^1.2.1", "deta": "^2.0.0"}}'
    ),
}
