"""A YAML loader whose scalars are JSON's: no dates, so timestamps stay the text they are."""

import yaml


class PlainLoader(yaml.SafeLoader):
    """SafeLoader without the timestamp type."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
