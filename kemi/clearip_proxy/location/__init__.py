"""Where a request is sent: locating SIP servers (RFC 3263), and by which transport."""
