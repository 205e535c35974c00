"""Protocol version 1, and nothing else: messages, problems, the table of endpoints, OpenAPI; see PROTOCOL.md."""
