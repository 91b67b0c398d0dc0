"""Values and contracts that every room shares: records, requests, claims, results, errors.

The one way through the house: records are learned by a model, a request is forgotten by a
method, the result is audited against retraining, and readings and tables are what is left.
"""

from .canonical_json import canonical, digest, plain, pseudonym
from .cells import CONTROL as CONTROL
from .cells import quoted, unquoted, visible
from .claims import Certified, Claim, Exact, Heuristic, claim_from, claim_json
from .contents import WORD, Contents, said
from .contracts import (
    Estimator,
    Learner,
    Metric,
    Model,
    Prepares,
    Progress,
    Promises,
    Role,
    Trainable,
    Unlearner,
    plugins,
)
from .errors import (
    BadInput,
    BudgetSpent,
    Corrupt,
    Diverged,
    EmptyRequest,
    NeedsReference,
    NoRoute,
    NotConverged,
    NothingLeft,
    OneClassLeft,
    RepeatedRecord,
    UnknownRecord,
    UnteachError,
    Untrusted,
)
from .fingerprint import described as described
from .forgets import Forgets, Keeps
from .records.cases import Case, Trial
from .records.columns import LazyColumn, densified, foreign, one_column, resembling, unmasked
from .records.records import (
    Ids,
    Records,
    Rows,
    Stream,
    as_groups,
    as_ids,
    first_repeated,
    locate,
    tight,
)
from .records.requests import Request
from .records.requests import check_records as check_records
from .records.roles import records_in, shared, unseen
from .results import Better, Cost, Forgotten, Reading, Stopwatch, Table
from .saved import (
    Saved,
    array_form,
    array_from,
    arrays_from,
    json_from,
    read_whole,
    too_large,
    unpacked_limit,
    unzipped,
    write_whole,
)
from .seeds import derive, stream

__all__ = [
    "BadInput",
    "Better",
    "BudgetSpent",
    "Case",
    "Certified",
    "Claim",
    "Contents",
    "Corrupt",
    "Cost",
    "Diverged",
    "EmptyRequest",
    "Estimator",
    "Exact",
    "Forgets",
    "Forgotten",
    "Heuristic",
    "Ids",
    "Keeps",
    "LazyColumn",
    "Learner",
    "Metric",
    "Model",
    "NeedsReference",
    "NoRoute",
    "NotConverged",
    "NothingLeft",
    "OneClassLeft",
    "Prepares",
    "Progress",
    "Promises",
    "Reading",
    "Records",
    "RepeatedRecord",
    "Request",
    "Role",
    "Rows",
    "Saved",
    "Stopwatch",
    "Stream",
    "Table",
    "Trainable",
    "Trial",
    "UnknownRecord",
    "Unlearner",
    "UnteachError",
    "Untrusted",
    "WORD",
    "array_form",
    "array_from",
    "arrays_from",
    "as_groups",
    "as_ids",
    "canonical",
    "claim_from",
    "claim_json",
    "densified",
    "derive",
    "digest",
    "first_repeated",
    "foreign",
    "json_from",
    "locate",
    "one_column",
    "plain",
    "plugins",
    "pseudonym",
    "quoted",
    "read_whole",
    "records_in",
    "resembling",
    "said",
    "shared",
    "stream",
    "tight",
    "too_large",
    "unmasked",
    "unpacked_limit",
    "unquoted",
    "unseen",
    "unzipped",
    "visible",
    "write_whole",
]
