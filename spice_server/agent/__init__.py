"""The server side of the agent protocol (vd_agent.h): guest's agent and clients."""
