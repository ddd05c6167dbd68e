"""servers_config.json: which tool servers there are and how to reach them.

The shape is the usual one, so entries can be pasted from other tools; keys that only those know are ignored.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import BadInput

REFERENCE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")  # ${NAME} or ${NAME:-used when it is not set}
DEFAULT_TIMEOUT_S = 20.0  # to connect; a package runner may install the server first


class ServerEntry(BaseModel):
    """One server: `command` with `args` and `env`, or `url` with `headers`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)
    cwd: str | None = None
    url: str = ""
    headers: Mapping[str, str] = Field(default_factory=dict)
    disabled: bool = False
    transport: Literal["", "stdio", "http", "streamable-http", "streamableHttp", "sse"] = Field(
        default="", validation_alias=AliasChoices("transport", "type")
    )
    # Our own keys.
    timeout_s: float = Field(default=DEFAULT_TIMEOUT_S, gt=0, le=600)
    allow: tuple[str, ...] | None = None  # only these tools are offered
    read_only: tuple[str, ...] = ()  # tools known to change nothing, for servers that do not say so

    @model_validator(mode="after")
    def _reachable(self) -> "ServerEntry":
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either a command or a url")
        return self


class ServersConfig(BaseModel):
    """The whole file, in its order: of two tools with one name, the first server's keeps it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    servers: Mapping[str, ServerEntry] = Field(validation_alias=AliasChoices("mcpServers", "servers"))


def load_servers(path: Path, environ: Mapping[str, str] = os.environ) -> ServersConfig:
    """Read the file and fill in ${NAME} references; disabled servers are left out.

    Raises BadInput naming the file and the field.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        config = ServersConfig.model_validate(found)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", field=str(path)) from error
    except ValidationError as error:
        raise _named(path, error) from error
    except ValueError as error:
        raise BadInput(f"{path} is no JSON: {error}", field=str(path)) from error
    wanted = {name: entry for name, entry in config.servers.items() if not entry.disabled}
    return ServersConfig(
        mcpServers={name: _filled(path, name, entry, environ) for name, entry in wanted.items()}
    )


def _named(path: Path, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "mcpServers"
    return BadInput(f"{path}: {place}: {first['msg'].removeprefix('Value error, ')}", field=place)


def _filled(path: Path, name: str, entry: ServerEntry, environ: Mapping[str, str]) -> ServerEntry:
    """The entry with its references replaced by values of the environment."""

    def fill(text: str, place: str) -> str:
        def value(match: re.Match[str]) -> str:
            found: str | None = environ.get(match[1], match[2])
            if found is None:
                field = f"mcpServers.{name}.{place}"
                raise BadInput(f"{path}: {field}: environment variable {match[1]} is not set", field=field)
            return found

        return REFERENCE.sub(value, text)

    return entry.model_copy(
        update={
            "url": fill(entry.url, "url"),
            "args": tuple(fill(arg, "args") for arg in entry.args),
            "env": {key: fill(text, f"env.{key}") for key, text in entry.env.items()},
            "headers": {key: fill(text, f"headers.{key}") for key, text in entry.headers.items()},
        }
    )
