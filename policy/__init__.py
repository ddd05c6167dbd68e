"""May this be done: the folder an auditor reads. It judges actions; it never applies one."""
