"""The live conversation: WebRTC and WebSocket doors, sessions, pages."""
