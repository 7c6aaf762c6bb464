"""The configuration of the proxy: one validated, frozen value, or every fault of the file."""

from inline_proxy.config.faults import ConfigInvalid, Fault
from inline_proxy.config.load import load_config, parse_config
from inline_proxy.config.model import ProxyConfig

__all__ = ["ConfigInvalid", "Fault", "ProxyConfig", "load_config", "parse_config"]
