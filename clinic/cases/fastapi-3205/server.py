from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

app = FastAPI()
engine = create_engine(
    "sqlite:///app.db",
    poolclass=QueuePool,
    pool_size=5,
    max_overflow=10,
    connect_args={"check_same_thread": False},
)
Sessions = sessionmaker(engine)


def get_db():
    db = Sessions()
    try:
        yield db
    finally:
        db.close()


@app.get("/")
def index(db: Session = Depends(get_db)):
    return {"one": db.execute(text("select 1")).scalar()}  # <- cause
