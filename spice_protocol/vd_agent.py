"""The VDI port's chunks and the agent's messages (spice/vd_agent.h)."""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar

from spice_protocol.wire import Bytes, WireStruct, i32, u8, u16, u32, u64

__all__ = [
    "VD_AGENT_MAX_DATA_SIZE",
    "VD_AGENT_PROTOCOL",
    "VDAgentAnnounceCapabilities",
    "VDAgentAudioVolumeSync",
    "VDAgentButtonMask",
    "VDAgentCap",
    "VDAgentClipboard",
    "VDAgentClipboardGrab",
    "VDAgentClipboardRelease",
    "VDAgentClipboardRequest",
    "VDAgentClipboardSelection",
    "VDAgentClipboardSelectionHeader",
    "VDAgentClipboardType",
    "VDAgentConfigMonitorsFlag",
    "VDAgentDeviceDisplayInfo",
    "VDAgentDisplayConfig",
    "VDAgentDisplayConfigFlag",
    "VDAgentFileXferDataMessage",
    "VDAgentFileXferErrorType",
    "VDAgentFileXferStartMessage",
    "VDAgentFileXferStatus",
    "VDAgentFileXferStatusError",
    "VDAgentFileXferStatusMessage",
    "VDAgentFileXferStatusNotEnoughSpace",
    "VDAgentGraphicsDeviceInfo",
    "VDAgentMaxClipboard",
    "VDAgentMessage",
    "VDAgentMessageType",
    "VDAgentMonConfig",
    "VDAgentMonitorMM",
    "VDAgentMonitorsConfig",
    "VDAgentMouseState",
    "VDAgentReply",
    "VDAgentResult",
    "VDIChunkHeader",
    "VdpPort",
]

VD_AGENT_PROTOCOL = 1
VD_AGENT_MAX_DATA_SIZE = 2048
"""Bytes of one chunk, and of one AGENT_DATA message."""


class VdpPort(enum.IntEnum):
    """``VDP_*_PORT``: who a chunk is for."""

    CLIENT_PORT = 1
    SERVER_PORT = 2


class VDAgentMessageType(enum.IntEnum):
    """``VD_AGENT_*``: type of a VDAgentMessage."""

    MOUSE_STATE = 1
    MONITORS_CONFIG = 2
    REPLY = 3
    CLIPBOARD = 4
    DISPLAY_CONFIG = 5
    ANNOUNCE_CAPABILITIES = 6
    CLIPBOARD_GRAB = 7
    CLIPBOARD_REQUEST = 8
    CLIPBOARD_RELEASE = 9
    FILE_XFER_START = 10
    FILE_XFER_STATUS = 11
    FILE_XFER_DATA = 12
    CLIENT_DISCONNECTED = 13
    MAX_CLIPBOARD = 14
    AUDIO_VOLUME_SYNC = 15
    GRAPHICS_DEVICE_INFO = 16


class VDAgentFileXferStatus(enum.IntEnum):
    """``VD_AGENT_FILE_XFER_STATUS_*``: result of a VDAgentFileXferStatusMessage."""

    CAN_SEND_DATA = 0
    CANCELLED = 1
    ERROR = 2
    SUCCESS = 3
    NOT_ENOUGH_SPACE = 4
    SESSION_LOCKED = 5
    VDAGENT_NOT_CONNECTED = 6
    DISABLED = 7


class VDAgentFileXferErrorType(enum.IntEnum):
    """``VD_AGENT_FILE_XFER_STATUS_ERROR_*``: whose error code it is."""

    GLIB_IO = 0


class VDAgentConfigMonitorsFlag(enum.IntFlag):
    """``VD_AGENT_CONFIG_MONITORS_FLAG_*``."""

    USE_POS = 1 << 0
    PHYSICAL_SIZE = 1 << 1


class VDAgentDisplayConfigFlag(enum.IntFlag):
    """``VD_AGENT_DISPLAY_CONFIG_FLAG_*``."""

    DISABLE_WALLPAPER = 1 << 0
    DISABLE_FONT_SMOOTH = 1 << 1
    DISABLE_ANIMATION = 1 << 2
    SET_COLOR_DEPTH = 1 << 3


class VDAgentButtonMask(enum.IntFlag):
    """``VD_AGENT_*BUTTON_MASK``: buttons of a VDAgentMouseState."""

    LBUTTON = 1 << 1
    MBUTTON = 1 << 2
    RBUTTON = 1 << 3
    UBUTTON = 1 << 4
    DBUTTON = 1 << 5
    SBUTTON = 1 << 6
    EBUTTON = 1 << 7


class VDAgentResult(enum.IntEnum):
    """``VD_AGENT_SUCCESS`` and ``VD_AGENT_ERROR``: VDAgentReply.error."""

    SUCCESS = 1
    ERROR = 2


class VDAgentClipboardType(enum.IntEnum):
    """``VD_AGENT_CLIPBOARD_*``: format of clipboard data."""

    NONE = 0
    UTF8_TEXT = 1
    IMAGE_PNG = 2
    IMAGE_BMP = 3
    IMAGE_TIFF = 4
    IMAGE_JPG = 5
    FILE_LIST = 6


class VDAgentClipboardSelection(enum.IntEnum):
    """``VD_AGENT_CLIPBOARD_SELECTION_*``: which clipboard."""

    CLIPBOARD = 0
    PRIMARY = 1
    SECONDARY = 2


class VDAgentCap(enum.IntEnum):
    """``VD_AGENT_CAP_*``: bit numbers of VDAgentAnnounceCapabilities."""

    MOUSE_STATE = 0
    MONITORS_CONFIG = 1
    REPLY = 2
    CLIPBOARD = 3
    DISPLAY_CONFIG = 4
    CLIPBOARD_BY_DEMAND = 5
    CLIPBOARD_SELECTION = 6
    SPARSE_MONITORS_CONFIG = 7
    GUEST_LINEEND_LF = 8
    GUEST_LINEEND_CRLF = 9
    MAX_CLIPBOARD = 10
    AUDIO_VOLUME_SYNC = 11
    MONITORS_CONFIG_POSITION = 12
    FILE_XFER_DISABLED = 13
    FILE_XFER_DETAILED_ERRORS = 14
    GRAPHICS_DEVICE_INFO = 15
    CLIPBOARD_NO_RELEASE_ON_REGRAB = 16
    CLIPBOARD_GRAB_SERIAL = 17


class VDIChunkHeader(WireStruct):
    """Before every chunk on the VDI port."""

    port: u32
    size: u32


class VDAgentMessage(WireStruct):
    """Before every agent message; it may span chunks."""

    FLEXIBLE: ClassVar[str] = "data"

    protocol: u32
    type: u32
    opaque: u64
    size: u32


class VDAgentFileXferStatusMessage(WireStruct):
    """How a file transfer stands; details may follow."""

    FLEXIBLE: ClassVar[str] = "data"

    id: u32
    result: u32


class VDAgentFileXferStatusNotEnoughSpace(WireStruct):
    """Details of NOT_ENOUGH_SPACE: free bytes."""

    disk_free_space: u64


class VDAgentFileXferStatusError(WireStruct):
    """Details of ERROR."""

    error_type: u8
    error_code: u32


class VDAgentFileXferStartMessage(WireStruct):
    """A file transfer begins; a key file with name and size follows."""

    FLEXIBLE: ClassVar[str] = "data"

    id: u32


class VDAgentFileXferDataMessage(WireStruct):
    """A piece of a file follows."""

    FLEXIBLE: ClassVar[str] = "data"

    id: u32
    size: u64


class VDAgentMonConfig(WireStruct):
    """One monitor; 0 x 0 is a disabled one."""

    height: u32
    width: u32
    depth: u32
    x: i32
    y: i32


class VDAgentMonitorsConfig(WireStruct):
    """The client's monitors follow."""

    FLEXIBLE: ClassVar[str] = "monitors"

    num_of_monitors: u32
    flags: u32


class VDAgentMonitorMM(WireStruct):
    """Physical size of one monitor in millimetres."""

    height: u16
    width: u16


class VDAgentDisplayConfig(WireStruct):
    """What the guest's desktop should do without."""

    flags: u32
    depth: u32


class VDAgentMouseState(WireStruct):
    """Pointer position and buttons of the client."""

    x: u32
    y: u32
    buttons: u32
    display_id: u8


class VDAgentReply(WireStruct):
    """Answer to a message of *type*."""

    type: u32
    error: u32


class VDAgentClipboard(WireStruct):
    """Clipboard data follows; with CLIPBOARD_SELECTION four bytes precede."""

    FLEXIBLE: ClassVar[str] = "data"

    type: u32


class VDAgentClipboardSelectionHeader(WireStruct):
    """The optional ``selection`` and padding of every clipboard message."""

    selection: u8
    reserved: Annotated[bytes, Bytes(3)] = b""


class VDAgentClipboardGrab(WireStruct):
    """Types on offer follow, after the optional selection and serial."""

    FLEXIBLE: ClassVar[str] = "types"


class VDAgentClipboardRequest(WireStruct):
    """Ask for the clipboard in one type, after the optional selection."""

    type: u32


class VDAgentClipboardRelease(WireStruct):
    """The clipboard is empty now; only the optional selection."""

    FLEXIBLE: ClassVar[str] = "dummy_empty_field"


class VDAgentMaxClipboard(WireStruct):
    """Bytes of clipboard data the client accepts, -1 for any."""

    max: i32


class VDAgentAudioVolumeSync(WireStruct):
    """Volume of each channel follows."""

    FLEXIBLE: ClassVar[str] = "volume"

    is_playback: u8
    mute: u8
    nchannels: u8


class VDAgentDeviceDisplayInfo(WireStruct):
    """Which device shows a monitor; its address follows."""

    FLEXIBLE: ClassVar[str] = "device_address"

    channel_id: u32
    monitor_id: u32
    device_display_id: u32
    device_address_len: u32


class VDAgentGraphicsDeviceInfo(WireStruct):
    """VDAgentDeviceDisplayInfo records follow."""

    FLEXIBLE: ClassVar[str] = "display_info"

    count: u32


class VDAgentAnnounceCapabilities(WireStruct):
    """Capability words follow; *request* asks for the peer's."""

    FLEXIBLE: ClassVar[str] = "caps"

    request: u32
