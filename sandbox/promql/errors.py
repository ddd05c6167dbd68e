"""Why a query has no answer: it is none, or it cannot be evaluated. Prometheus answers 400 and 422."""


class BadQuery(ValueError):
    """The text is no PromQL; the message is what Prometheus says after `parse error:`."""


class CannotEvaluate(ValueError):
    """The query is well formed, but has no result on these series."""
