from deta import Deta
from flask import Flask, jsonify, request

app = Flask(__name__)
received = Deta().Base("webhooks")


@app.get("/")
def show():
    return jsonify(received.fetch(limit=20).items)


@app.post("/")
def receive():
    item = received.put({"body": request.get_data(as_text=True), "type": request.content_type})
    print("received", item["key"])
    return {"key": item["key"]}
