"""Who reaches whom: names, policies, ports, and the traffic of services that call each other."""
