from deta import Deta
from flask import Flask, redirect, render_template, request

app = Flask(__name__)
answers = Deta().Base("answers")


@app.get("/")
def form():
    return render_template("form.html", answers=answers.fetch(limit=20).items)


@app.post("/")
def answer():
    answers.put({"name": request.form["name"], "text": request.form["text"]})
    return redirect("/")
