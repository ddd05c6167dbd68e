"""policy.yaml, read strictly: an unknown key or a wrong value is an error that names its place."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import BadInput

Mode = Literal["auto", "approve", "deny"]


class Strict(BaseModel):
    """A part of policy.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(Strict):
    """What is allowed for one action. Without a row an action is refused."""

    mode: Mode | None = None  # None: the default of the place it runs in
    min_replicas: int | None = Field(default=None, ge=0)
    max_replicas: int | None = Field(default=None, ge=0)
    max_memory: str | None = None  # a Kubernetes quantity, such as 8Gi
    max_cpu: str | None = None
    max_storage: str | None = None


class Rule(Strict):
    """Overrides the mode where action and namespace match; the first match counts. `*` matches all."""

    action: str = "*"
    namespace: str = "*"
    mode: Mode

    def matches(self, action: str, namespace: str) -> bool:
        """Whether this rule speaks about that action in that namespace."""
        return fnmatchcase(action, self.action) and fnmatchcase(namespace, self.namespace)


class Defaults(Strict):
    """The mode of actions that have none: on a real cluster, and in the sandbox."""

    cluster: Mode = "approve"
    sandbox: Mode = "auto"


class PolicyTable(Strict):
    """The whole file."""

    version: Literal[1]
    defaults: Defaults = Defaults()
    protected_namespaces: tuple[str, ...] = ("kube-system",)
    actions: dict[str, Row]
    rules: tuple[Rule, ...] = ()


def load_policy(path: Path) -> PolicyTable:
    """Read and check a policy file. Raises BadInput naming the file and the field."""
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        return PolicyTable.model_validate(body)
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror}; set files.policy to a readable file", field="policy"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not YAML: {error}", field="policy") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {place}: {first['msg']}", field=place) from error
