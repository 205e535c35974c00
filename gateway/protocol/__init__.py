"""The wire and nothing else: messages, problems, OpenAPI. See PROTOCOL.md beside this file."""
