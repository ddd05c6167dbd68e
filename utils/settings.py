"""Everything a user may set: config.yaml, overridden by environment variables.

Policy lives in policy.yaml and tool servers in servers_config.json; this module only names those files.
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from domain.errors import BadInput
from utils.metric_names import MetricNames

HOME = Path(__file__).resolve().parent.parent


class Section(BaseModel):
    """A part of config.yaml; an unknown key is an error, because it is nearly always a typo."""

    model_config = ConfigDict(extra="forbid")


class ServerSection(Section):
    """Where the service listens and what it accepts."""

    host: str = "127.0.0.1"
    port: int = Field(default=10000, ge=0, le=65535)
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    stop_s: float = Field(default=5.0, gt=0)


class WorkerSection(Section):
    """How much is done at the same time."""

    concurrency_count: int = Field(default=8, ge=1, le=256)
    queue_size: int = Field(default=1000, ge=1)


class LimitsSection(Section):
    """Where one incident is handed to a person instead of going on."""

    steps_count: int = Field(default=12, ge=1)
    active_s: float = Field(default=1800.0, gt=0)
    tokens_count: int = Field(default=60_000, ge=0)


class GatherSection(Section):
    """How long and how much a look around may take."""

    budget_s: float = Field(default=5.0, gt=0)
    call_s: float = Field(default=10.0, gt=0)
    log_lines_count: int = Field(default=60, ge=1, le=1000)


class VerifySection(Section):
    """How a change is watched afterwards: until it has been well for `settle_s`, at most `deadline_s`."""

    poll_s: float = Field(default=2.0, gt=0)
    settle_s: float = Field(default=30.0, ge=0)
    deadline_s: float = Field(default=300.0, gt=0)


class ApiSection(Section):
    """An HTTP API such as Prometheus' or Loki's; without a `url` its tools are left out.

    `url` includes the path prefix. Secrets stand in files, read when a connection is opened.
    """

    url: str = ""
    tenant: str = ""  # sent as X-Scope-OrgID
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    ca_file: str = ""
    headers: list[str] = []  # each "Name: value"


class ClusterSection(Section):
    """One more cluster, and what keeps its metrics and logs. Alerts name it by their cluster label."""

    name: str = Field(pattern=r"^[\w.-]+$")
    kubeconfig: str = ""
    context: str = ""
    prometheus: ApiSection = ApiSection()
    loki: ApiSection = ApiSection()


class LlmSection(Section):
    """An OpenAI-compatible server; used when a key or a base URL is set."""

    model: str = "gpt-4o-mini"
    timeout_s: float = Field(default=60.0, gt=0)


class SandboxSection(Section):
    """The embedded cluster. `speed` is cluster seconds per real second; at 0 it moves only while watched."""

    nodes_count: int = Field(default=3, ge=1)
    speed: float = Field(default=1.0, ge=0)
    observed: bool = True  # with metrics, logs over HTTP and alert rules
    verify: VerifySection = VerifySection(
        poll_s=0.5, settle_s=4.0, deadline_s=60.0
    )  # its back-offs are short


class FilesSection(Section):
    """Files and folders, relative to the working directory."""

    journal: Path = Path("data/journal.db")
    reports: Path = Path("reports")
    policy: Path = HOME / "policy.yaml"
    servers: Path = HOME / "servers_config.json"


class LogSection(Section):
    """What operators see on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool | None = None  # none: readable lines on a terminal, JSON lines elsewhere


class Settings(BaseSettings):
    """All sections; `ALERT_AGENT_SERVER__PORT=11000` overrides `server: {port: …}`."""

    model_config = SettingsConfigDict(env_prefix="ALERT_AGENT_", env_nested_delimiter="__", extra="forbid")

    server: ServerSection = ServerSection()
    worker: WorkerSection = WorkerSection()
    limits: LimitsSection = LimitsSection()
    gather: GatherSection = GatherSection()
    verify: VerifySection = VerifySection()
    prometheus: ApiSection = ApiSection()
    loki: ApiSection = ApiSection()
    metrics: MetricNames = MetricNames()
    llm: LlmSection = LlmSection()
    sandbox: SandboxSection = SandboxSection()
    files: FilesSection = FilesSection()
    log: LogSection = LogSection()
    analyst: Literal["auto", "rules", "llm", "restart-only", "noop"] = "auto"
    cluster: str = ""  # this cluster's name in reports and targets
    kubeconfig: str = ""  # empty: $KUBECONFIG, ~/.kube/config or in-cluster
    context: str = ""
    cluster_label: str = "cluster"  # of alerts
    clusters: list[ClusterSection] = []  # more of them

    # Secrets and the usual OpenAI variables come from the environment under their plain names.
    webhook_token: SecretStr = Field(default=SecretStr(""), validation_alias="WEBHOOK_TOKEN")
    api_token: SecretStr = Field(default=SecretStr(""), validation_alias="API_TOKEN")
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    openai_model: str = Field(default="", validation_alias="OPENAI_MODEL")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file."""
        return (init_settings, env_settings, YamlConfigSettingsSource(settings_cls))

    @property
    def llm_configured(self) -> bool:
        """Whether there is an LLM to ask."""
        return bool(self.openai_api_key.get_secret_value() or self.openai_base_url)


def load_settings(path: Path | None = None) -> Settings:
    """Read `path` (default: config.yaml in the working directory, else the shipped one) and the environment.

    Raises BadInput naming the file and the field.
    """
    file = path or next((f for f in (Path("config.yaml"), HOME / "config.yaml") if f.exists()), None)
    if path is not None and not path.exists():
        raise BadInput(f"{path} does not exist; check --config", field="--config")
    source = type("FileSettings", (Settings,), {"model_config": {**Settings.model_config, "yaml_file": file}})
    try:
        settings: Settings = source()
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise BadInput(f"{file} is not a YAML mapping: {error}", field="--config") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f"{file} or the environment" if file else "the environment"
        raise BadInput(f"{where}: {place}: {first['msg']}", field=place) from error
    return settings


def journal_path(settings: Settings, *, sandbox: bool) -> Path:
    """The sandbox has a journal of its own: what was left unfinished there must never reach a cluster."""
    path = settings.files.journal
    return path.with_name(f"sandbox-{path.name}") if sandbox else path
