"""What the OpenAPI document says of the routes of tasks."""

from todo_service.documents.operations import Operation, Section
from todo_service.tasks import document_answers, document_bodies
from todo_service.tasks.document_collection import COLLECTION
from todo_service.tasks.document_one import ONE

# In the order in which a reader meets them.
OPERATIONS: dict[str, Operation] = COLLECTION | ONE
SECTION = Section(
    name="Tasks",
    description="The tasks of the token's user.",
    operations=OPERATIONS,
    schemas=document_answers.SCHEMAS | document_bodies.SCHEMAS,
)
