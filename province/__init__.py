"""The province hub: takes the facilities' events exactly once and turns them into the lookup rate.

Another machine than the kiosks, one for all facilities, its own database, never a name or a citizen number
(architecture.md 2). Of `kiosk` it imports only the wire format, `kiosk.events`.
"""
