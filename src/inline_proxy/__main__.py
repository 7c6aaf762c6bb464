"""`python3 -m inline_proxy` is the operator's command, `inline-proxy`."""

from inline_proxy.cli import main

if __name__ == "__main__":
    main()
