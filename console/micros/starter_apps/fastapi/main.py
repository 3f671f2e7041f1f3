from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello():
    return {"message": "Hello from a Micro"}


@app.get("/greet/{name}")
def greet(name: str):
    return {"message": f"Hello {name}"}
