"""The peer: the same endpoints in FastAPI, SQLModel and psycopg2, as most write them.

    uvicorn benchmarks.fastapi_peer:app --workers 2

A session a request, a model for each shape of a task; read, change, commit, refresh.
It works on the service's own table and its indexes. It leaves out what only the service
promises: the user's counter (a task's version counts its own changes), ETags,
If-Match, idempotency keys, cursors, filters, sync, a problem's document, CORS, request
ids, the deadlines of statements. Its log is uvicorn's line for each request.
This module is long because it is a whole service.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import ARRAY, Column, DateTime, Text
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, select

SECRET = os.environ["BETTER_AUTH_SECRET"]
Priority = Literal["low", "medium", "high"]
Timestamp = DateTime(timezone=True)

# A favour to the peer: with the default of 5, a worker that is asked for more at once
# makes and closes a connection for each further request. That doubled PostgreSQL's CPU.
engine = create_engine(os.environ["DATABASE_URL"], pool_size=20)
app = FastAPI()


def now() -> datetime:
    """This moment, with its time zone."""
    return datetime.now(UTC)


class TaskBase(SQLModel):
    """What a client may say of a task."""

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=5000)
    completed: bool = False
    priority: Priority = Field(default="medium", sa_type=Text)
    due_at: datetime | None = Field(default=None, sa_type=Timestamp)
    position: str = "a0"


class Task(TaskBase, table=True):
    """A row."""

    __tablename__ = "tasks"

    user_id: str = Field(primary_key=True)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    tags: list[str] = Field(default=[], sa_column=Column(ARRAY(Text)))
    version: int = 1
    completed_at: datetime | None = Field(default=None, sa_type=Timestamp)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    updated_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    deleted_at: datetime | None = Field(default=None, sa_type=Timestamp)


class TaskCreate(TaskBase):
    """The body of a create."""

    tags: list[str] = Field(default=[], max_length=20)


class TaskUpdate(SQLModel):
    """The body of an update."""

    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=5000)
    completed: bool | None = None
    priority: Priority | None = None
    due_at: datetime | None = None
    position: str | None = None
    tags: list[str] | None = Field(default=None, max_length=20)


class TaskPublic(TaskBase):
    """What a client gets to see of a task."""

    id: UUID
    user_id: str
    tags: list[str]
    version: int
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TaskPage(SQLModel):
    """A page of the list."""

    tasks: list[TaskPublic]
    total: int
    limit: int
    offset: int


def get_session() -> Iterator[Session]:
    """A session for a request."""
    with Session(engine) as session:
        yield session


async def get_user_id(
    bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> str:
    """The user whom the token names."""
    try:
        claims = jwt.decode(bearer.credentials, SECRET, algorithms=["HS256"])
        return claims["sub"]
    except (jwt.InvalidTokenError, KeyError):
        raise HTTPException(401, "The token does not verify.") from None


CurrentSession = Annotated[Session, Depends(get_session)]
UserId = Annotated[str, Depends(get_user_id)]


def find(session: Session, user_id: str, task_id: UUID) -> Task:
    """The user's live task."""
    task = session.get(Task, (user_id, task_id))
    if task is None or task.deleted_at:
        raise HTTPException(404, "There is no such task.")
    return task


def save(session: Session, task: Task) -> Task:
    """The task as the database has it after the change."""
    if task.completed != bool(task.completed_at):
        task.completed_at = now() if task.completed else None
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


def touch(task: Task) -> None:
    """Note that the task changes."""
    task.version += 1
    task.updated_at = now()


@app.get("/api/tasks", response_model=TaskPage)
def list_tasks(
    session: CurrentSession,
    user_id: UserId,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
):
    """List the user's tasks, the newest first."""
    mine = (col(Task.user_id) == user_id, col(Task.deleted_at).is_(None))
    total = session.exec(select(func.count()).select_from(Task).where(*mine)).one()
    newest = (col(Task.created_at).desc(), col(Task.id).desc())
    page = select(Task).where(*mine).order_by(*newest).limit(limit).offset(offset)
    tasks = session.exec(page).all()
    return {"tasks": tasks, "total": total, "limit": limit, "offset": offset}


@app.post("/api/tasks", response_model=TaskPublic, status_code=201)
def create_task(session: CurrentSession, user_id: UserId, body: TaskCreate):
    """Create a task."""
    return save(session, Task.model_validate(body, update={"user_id": user_id}))


@app.get("/api/tasks/{task_id}", response_model=TaskPublic)
def read_task(session: CurrentSession, user_id: UserId, task_id: UUID):
    """Read one task."""
    return find(session, user_id, task_id)


@app.patch("/api/tasks/{task_id}", response_model=TaskPublic)
def change_task(
    session: CurrentSession, user_id: UserId, task_id: UUID, body: TaskUpdate
):
    """Change the fields that the body has."""
    task = find(session, user_id, task_id)
    task.sqlmodel_update(body.model_dump(exclude_unset=True))
    touch(task)
    return save(session, task)


@app.patch("/api/tasks/{task_id}/complete", response_model=TaskPublic)
def complete_task(session: CurrentSession, user_id: UserId, task_id: UUID):
    """Toggle `completed`."""
    task = find(session, user_id, task_id)
    task.completed = not task.completed
    touch(task)
    return save(session, task)
