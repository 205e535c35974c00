"""Our backends inside other frameworks: one file per framework, none imported before it is asked for."""
