"""What must be masked, and what looks like a credential and must stay readable."""

import pytest

from utils.redact import MASK, redact

RANDOM = "Zk3v9QpL7xW2mR8tB5nC1dF6"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\nMIIEow{RANDOM}\n{RANDOM}==\n-----END RSA PRIVATE KEY-----"

SECRETS = {
    "bearer header": (f"GET /api Authorization: Bearer {RANDOM} 401", RANDOM),
    "bearer in prose": (f"sent bearer {RANDOM} to the server", RANDOM),
    "short bearer header": ('{"Authorization": "Bearer t0p"}', "t0p"),
    "header without a scheme": (f"authorization: {RANDOM}", RANDOM),
    "basic header": ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "json header": (f'{{"Authorization": "token {RANDOM}"}}', RANDOM),
    "jwt": (f"token was {JWT} and expired", JWT),
    "aws key id": ("using AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE"),
    "aws secret key": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    "google key": ("key AIza" + "Sy0123456789abcdefghijklmnopqrstuvw.", "AIzaSy"),
    "google token": ("ya29." + RANDOM, RANDOM),
    "azure storage key": ("AccountName=web;AccountKey=" + "aB3" * 28 + "ab==;Suffix=x", "aB3aB3"),
    "azure client secret": ("secret is abc8Q~" + "d" * 34, "8Q~"),
    "azure sas": ("https://web.blob.example/c?sv=1&sig=" + RANDOM + "%3D&se=2", RANDOM),
    "github": ("ghp_" + "a1B2" * 9, "ghp_a1"),
    "github fine": ("github_pat_" + "a1B2" * 9, "github_pat_a1"),
    "gitlab": ("glpat-" + RANDOM, RANDOM),
    "slack": ("xoxb-123456789012-" + RANDOM, RANDOM),
    "slack hook": ("https://hooks.slack.com/services/T000/B000/" + RANDOM, RANDOM),
    "openai": ("Incorrect API key provided: sk-proj-" + RANDOM, RANDOM),
    "private key": (f"tls.key: |\n{PEM}\nnext", "MIIEow"),
    "private key cut off": (PEM[:60], "MIIEow"),
    "url": ("dial postgres://shop:hunter2@db:5432/shop failed", "hunter2"),
    "url with @ in the password": ("amqp://u:p@ss1word@mq:5672/", "ss1word"),
    "url without a user": ("redis://:hunter2@cache:6379", "hunter2"),
    "password pair": ("connect host=db password=hunter user=shop", "hunter"),
    "password colon": ("password: hunter", "hunter"),
    "password json": ('{"db_password": "correct horse \\" battery", "port": 1}', "horse"),
    "password in a json string": (r'"{\"password\": \"hunter2\"}"', "hunter2"),
    "environment": ("DB_PASSWD=hunter2\nAPI_TOKEN=abcdef", "abcdef"),
    "yaml token": (f"apiKey: {RANDOM}", RANDOM),
    "flag": ("mysqld --root-password hunter2 --port 3306", "hunter2"),
    "flag with sign": ("app --token=abcdef --port 3306", "abcdef"),
    "env list json": ('{"name":"DB_PASSWORD","value":"hunter2"}', "hunter2"),
    "env list yaml": ("- name: REDIS_TOKEN\n  value: hunter2\n- name: PORT\n  value: '1'", "hunter2"),
}

LOOK_ALIKES = [
    "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "uid 3f2b8a54-9c1e-4b7d-8a55-0d7f1c2e9b10, resourceVersion 184467",
    "commit 9992a63b1f0c4d5e6f708192a3b4c5d6e7f80912 by deploy",
    'Error: secret "db-creds" not found',
    "couldn't find key password in Secret shop/db-creds",
    "imagePullSecret: regcred",
    'MountVolume.SetUp failed for volume "kube-api-access-x7k2p": secret: db-creds-2',
    "automountServiceAccountToken: true",
    "invalid token: expired",
    "password is incorrect, password: required",
    "max_tokens=4096 tokens_count: 120 token_count=5",
    "PWD=/srv/app pwd: /srv/app",
    "basic authentication is required; bearer authentication was refused",
    "risk-assessment-service-with-a-long-name task-runner-2",
    "sk-learn-is-a-library-for-statistics",
    "http://web.shop.svc:8080/healthz?user=a@b returned 500",
    "https://example.org/path:with@sign",
    "taint dedicated=gpu:NoSchedule, key=value",
    "pod web-7d9f8b6c5d-x2v4q in shop: Back-off restarting failed container",
    "secretName: web-tls, secretKeyRef: db",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_credentials_are_masked(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact(text)
    assert MASK in redact(text)


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_stay_readable(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("text", [text for text, _ in SECRETS.values()])
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_what_stands_around_a_credential_stays() -> None:
    assert redact("dial postgres://shop:hunter2@db:5432") == f"dial postgres://shop:{MASK}@db:5432"
    assert redact('{"password": "a b", "port": 1}') == f'{{"password": "{MASK}", "port": 1}}'
    assert redact(f"before\n{PEM}\nafter") == f"before\n{MASK}\nafter"
