"""The nodes' agents: they run the pods that the scheduler gave them, and report what became of them."""
