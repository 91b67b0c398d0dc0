"""The errors a caller may want to catch; each says what was wrong, what was got and what to do."""


class UnteachError(Exception):
    """Any refusal of unteach. Catch this one to catch them all."""

    def __str__(self) -> str:
        # KeyError quotes its message; a sentence needs no quotes
        return str(self.args[0]) if self.args else self.__class__.__name__


class BadInput(UnteachError, ValueError):
    """A value, shape, type or file that cannot be worked with."""


class UnknownRecord(UnteachError, KeyError):
    """An id or a group that the records (or the model) do not hold."""


class RepeatedRecord(BadInput):
    """An id that is named more than once where each must be named once."""


class EmptyRequest(BadInput):
    """A request that names nothing to forget."""


class NothingLeft(BadInput):
    """Forgetting would leave no record to have learned from."""


class OneClassLeft(BadInput):
    """Forgetting would leave a classifier fewer than two classes."""


class NoRoute(UnteachError):
    """No method can forget this from this model under the claims that are accepted."""


class BudgetSpent(UnteachError):
    """A certificate whose budget does not cover the request; retraining restores it."""


class NeedsReference(UnteachError):
    """A metric that compares with retraining was given nothing to compare with."""


class NotConverged(UnteachError):
    """A solver that did not reach its tolerance; nothing was changed."""


class Diverged(NotConverged):
    """A training whose loss or parameters stopped being finite numbers; it was stopped there."""


class Corrupt(UnteachError):
    """A file that is damaged or not ours; it is left as it was found."""


class Untrusted(UnteachError):
    """A file that could run code when loaded, and was not explicitly allowed to."""
