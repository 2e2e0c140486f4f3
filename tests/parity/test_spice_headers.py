"""Our tables against the installed C headers: every size, offset and number.

One C program, made from the tables, prints what the compiler sees; a second pass reads
the headers' text, so that an enumerator or structure missing here is noticed too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spice_protocol import enums, protocol, qxl_dev, vd_agent
from spice_protocol.ipc_ring import RING_HEADER_SIZE, RingLayout
from spice_protocol.messages import (
    base,
    cursor,
    display,
    inputs,
    main,
    playback,
    port,
    record,
    smartcard,
    spicevmc,
)
from spice_protocol.wire import Array, Scalar, Union, WireStruct, kind_of

if TYPE_CHECKING:
    import enum

HEADERS = Path("/usr/include/spice-1/spice")
HEADER_NAMES = ("enums.h", "protocol.h", "qxl_dev.h", "vd_agent.h")

pytestmark = pytest.mark.skipif(
    not (HEADERS.is_dir() and shutil.which("gcc")),
    reason="needs gcc and the headers of libspice-protocol-dev",
)

PREFIXES: dict[type[enum.IntEnum | enum.IntFlag], str] = {
    enums.ChannelType: "SPICE_CHANNEL_",
    enums.SpiceLinkErr: "SPICE_LINK_ERR_",
    enums.SpiceWarnCode: "SPICE_WARN_",
    enums.SpiceInfoCode: "SPICE_INFO_",
    enums.SpiceMigrateFlags: "SPICE_MIGRATE_",
    enums.SpiceCompositeFlags: "SPICE_COMPOSITE_",
    enums.SpiceNotifySeverity: "SPICE_NOTIFY_SEVERITY_",
    enums.SpiceNotifyVisibility: "SPICE_NOTIFY_VISIBILITY_",
    enums.SpiceMouseMode: "SPICE_MOUSE_MODE_",
    enums.SpiceDataCompressionType: "SPICE_DATA_COMPRESSION_TYPE_",
    enums.SpiceClipType: "SPICE_CLIP_TYPE_",
    enums.SpicePathFlags: "SPICE_PATH_",
    enums.SpiceVideoCodecType: "SPICE_VIDEO_CODEC_TYPE_",
    enums.SpiceStreamFlags: "SPICE_STREAM_FLAGS_",
    enums.SpiceBrushType: "SPICE_BRUSH_TYPE_",
    enums.SpiceMaskFlags: "SPICE_MASK_FLAGS_",
    enums.SpiceImageType: "SPICE_IMAGE_TYPE_",
    enums.SpiceImageCompression: "SPICE_IMAGE_COMPRESSION_",
    enums.SpiceImageFlags: "SPICE_IMAGE_FLAGS_",
    enums.SpiceBitmapFmt: "SPICE_BITMAP_",
    enums.SpiceBitmapFlags: "SPICE_BITMAP_FLAGS_",
    enums.SpiceJpegAlphaFlags: "SPICE_JPEG_ALPHA_FLAGS_",
    enums.SpiceImageScaleMode: "SPICE_IMAGE_SCALE_MODE_",
    enums.SpiceRopd: "SPICE_ROPD_",
    enums.SpiceLineFlags: "SPICE_LINE_FLAGS_",
    enums.SpiceStringFlags: "SPICE_STRING_FLAGS_",
    enums.SpiceSurfaceFlags: "SPICE_SURFACE_FLAGS_",
    enums.SpiceSurfaceFmt: "SPICE_SURFACE_",
    enums.SpiceAlphaFlags: "SPICE_ALPHA_FLAGS_",
    enums.SpiceResourceType: "SPICE_RES_TYPE_",
    enums.SpiceGlScanoutFlags: "SPICE_GL_SCANOUT_FLAGS_",
    enums.SpiceKeyboardModifierFlags: "SPICE_KEYBOARD_MODIFIER_FLAGS_",
    enums.SpiceMouseButton: "SPICE_MOUSE_BUTTON_",
    enums.SpiceMouseButtonMask: "SPICE_MOUSE_BUTTON_MASK_",
    enums.SpiceCursorType: "SPICE_CURSOR_TYPE_",
    enums.SpiceCursorFlags: "SPICE_CURSOR_FLAGS_",
    enums.SpiceAudioDataMode: "SPICE_AUDIO_DATA_MODE_",
    enums.SpiceAudioFmt: "SPICE_AUDIO_FMT_",
    enums.SpiceVscMessageType: "SPICE_VSC_MESSAGE_TYPE_",
    protocol.SpiceCommonCap: "SPICE_COMMON_CAP_",
    protocol.PlaybackCap: "SPICE_PLAYBACK_CAP_",
    protocol.RecordCap: "SPICE_RECORD_CAP_",
    protocol.MainCap: "SPICE_MAIN_CAP_",
    protocol.DisplayCap: "SPICE_DISPLAY_CAP_",
    protocol.InputsCap: "SPICE_INPUTS_CAP_",
    protocol.SpicevmcCap: "SPICE_SPICEVMC_CAP_",
    protocol.PortEvent: "SPICE_PORT_EVENT_",
    base.BaseMsg: "SPICE_MSG_",
    base.BaseMsgc: "SPICE_MSGC_",
    main.MainMsg: "SPICE_MSG_MAIN_",
    main.MainMsgc: "SPICE_MSGC_MAIN_",
    display.DisplayMsg: "SPICE_MSG_DISPLAY_",
    display.DisplayMsgc: "SPICE_MSGC_DISPLAY_",
    inputs.InputsMsg: "SPICE_MSG_INPUTS_",
    inputs.InputsMsgc: "SPICE_MSGC_INPUTS_",
    cursor.CursorMsg: "SPICE_MSG_CURSOR_",
    playback.PlaybackMsg: "SPICE_MSG_PLAYBACK_",
    record.RecordMsg: "SPICE_MSG_RECORD_",
    record.RecordMsgc: "SPICE_MSGC_RECORD_",
    smartcard.SmartcardMsg: "SPICE_MSG_SMARTCARD_",
    smartcard.SmartcardMsgc: "SPICE_MSGC_SMARTCARD_",
    spicevmc.SpicevmcMsg: "SPICE_MSG_SPICEVMC_",
    spicevmc.SpicevmcMsgc: "SPICE_MSGC_SPICEVMC_",
    port.PortMsg: "SPICE_MSG_PORT_",
    port.PortMsgc: "SPICE_MSGC_PORT_",
    qxl_dev.QxlRevision: "QXL_REVISION_",
    qxl_dev.QxlIo: "QXL_IO_",
    qxl_dev.QxlInterrupt: "QXL_INTERRUPT_",
    qxl_dev.QXLCmdType: "QXL_CMD_",
    qxl_dev.QxlCursorCmdType: "QXL_CURSOR_",
    qxl_dev.QxlDrawType: "QXL_",
    qxl_dev.QXLEffectType: "QXL_EFFECT_",
    qxl_dev.QXLOperator: "QXL_OP_",
    qxl_dev.QXLSurfaceCmdType: "QXL_SURFACE_CMD_",
    qxl_dev.QxlPath: "QXL_PATH_",
    qxl_dev.QxlImageGroup: "QXL_IMAGE_GROUP_",
    qxl_dev.QXLImageFlags: "QXL_IMAGE_",
    qxl_dev.QXLBitmapFlags: "QXL_BITMAP_",
    vd_agent.VDAgentMessageType: "VD_AGENT_",
    vd_agent.VDAgentFileXferStatus: "VD_AGENT_FILE_XFER_STATUS_",
    vd_agent.VDAgentFileXferErrorType: "VD_AGENT_FILE_XFER_STATUS_ERROR_",
    vd_agent.VDAgentConfigMonitorsFlag: "VD_AGENT_CONFIG_MONITORS_FLAG_",
    vd_agent.VDAgentDisplayConfigFlag: "VD_AGENT_DISPLAY_CONFIG_FLAG_",
    vd_agent.VDAgentResult: "VD_AGENT_",
    vd_agent.VDAgentClipboardType: "VD_AGENT_CLIPBOARD_",
    vd_agent.VDAgentClipboardSelection: "VD_AGENT_CLIPBOARD_SELECTION_",
    vd_agent.VDAgentCap: "VD_AGENT_CAP_",
    vd_agent.VdpPort: "VDP_",
}

# Structures that C leaves unnamed or in an ``#if 0``: checked inside their owners.
UNNAMED = {
    qxl_dev.QXLRomClientMonitorsConfig,
    qxl_dev.QXLCursorSet,
    qxl_dev.QXLCursorTrail,
    vd_agent.VDAgentClipboardSelectionHeader,
}

# Ends of enumerations, masks of all flags, unions of other structures.
NOT_TABLED = re.compile(
    r"_ENUM_END$|_MASK$|_END_|QXL_PCI_RANGES|QXL_IO_RANGE_SIZE|STREAM_CAP_END"
)
NOT_TABLED_STRUCTS = {
    "QXLImageIDUnion",  # the two spellings of QXLImageDescriptor.id
    "QXLReleaseInfoExt",  # never in guest memory: host pointers
}


def enumerators() -> dict[str, int]:
    values = {
        prefix + name: int(member)
        for enumeration, prefix in PREFIXES.items()
        for name, member in enumeration.__members__.items()
    }
    for member in qxl_dev.QxlRange:
        values[f"QXL_{member.name}_RANGE_INDEX"] = int(member)
    for mask in vd_agent.VDAgentButtonMask:
        values[f"VD_AGENT_{mask.name}_MASK"] = int(mask)
    for module in (protocol, qxl_dev, vd_agent):
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, int) and not name.startswith("MAX_"):
                values[name] = value
    return values


def structures() -> dict[str, type[WireStruct]]:
    return {
        name: value
        for module in (protocol, qxl_dev, vd_agent)
        for name in module.__all__
        if isinstance(value := getattr(module, name), type)
        and issubclass(value, WireStruct)
        and value not in UNNAMED
    }


def paths(cls: type[WireStruct], prefix: str = "") -> list[tuple[str, object]]:
    """List every field, also of inner structures and union members, as in C."""
    found: list[tuple[str, object]] = []
    for field in cls.FIELDS:
        kind = field.kind
        if isinstance(kind, Union):
            members = [(name, kind_of(m)) for name, m in kind.members.items()]
            inner = "" if cls is qxl_dev.QXLImage else f"{field.name}."
        else:
            members, inner = [(field.name, kind)], ""
        for name, member in members:
            found.append((f"{prefix}{inner}{name}", member))
            if isinstance(member, type) and issubclass(member, WireStruct):
                found += paths(member, f"{prefix}{inner}{name}.")
    found += [(prefix + alias, None) for alias in cls.ALIASES]
    if cls.FLEXIBLE:
        found.append((prefix + cls.FLEXIBLE, None))
    return found


def field_size(kind: object) -> int:
    match kind:
        case Array():
            return field_size(kind_of(kind.element)) * kind.length
        case Scalar():
            return kind.size
        case _ if isinstance(kind, type) and issubclass(kind, WireStruct):
            return kind.SIZE
        case _:
            return kind.size  # type: ignore[attr-defined, no-any-return]


def c_program() -> str:
    lines = [
        "#include <stdio.h>",
        "#include <stddef.h>",
        "#include <spice/types.h>",
        *(f"#include <spice/{name}>" for name in HEADER_NAMES),
        '#pragma GCC diagnostic ignored "-Wdeprecated-declarations"',
        '#define V(name) printf("value %s %lld\\n", #name, (long long)(name));',
        '#define S(t) printf("sizeof %s %zu\\n", #t, sizeof(t));',
        '#define O(t, f) printf("offset %s.%s %zu\\n", #t, #f, offsetof(t, f));',
        '#define F(t, f) printf("size %s.%s %zu\\n", #t, #f, sizeof(((t *)0)->f));',
        '#define I(t, f) printf("signed %s.%s %d\\n", #t, #f, '
        "((__typeof__(((t *)0)->f))-1) < 0);",
        "int main(void) {",
        *(f"V({name})" for name in enumerators()),
    ]
    for name, cls in structures().items():
        lines.append(f"S({name})")
        for path, kind in paths(cls):
            lines.append(f"O({name}, {path})")
            if kind is not None:
                lines.append(f"F({name}, {path})")
            if isinstance(kind, Scalar):
                lines.append(f"I({name}, {path})")
    return "\n".join([*lines, "return 0; }", ""])


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], int]:
    directory = tmp_path_factory.mktemp("parity")
    source = directory / "parity.c"
    source.write_text(c_program())
    program = directory / "parity"
    subprocess.run(["gcc", f"-I{HEADERS.parent}", "-o", program, source], check=True)
    output = subprocess.run([program], check=True, capture_output=True, text=True)
    rows = (line.rsplit(" ", 2) for line in output.stdout.splitlines())
    return {(kind, name): int(value) for kind, name, value in rows}


@pytest.fixture(scope="module")
def header_text() -> str:
    text = "".join((HEADERS / name).read_text() for name in HEADER_NAMES)
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    return re.sub(r"#if 0.*?#endif", "", text, flags=re.DOTALL)


def test_values(compiled: dict[tuple[str, str], int]) -> None:
    ours = enumerators()
    theirs = {name: v for (kind, name), v in compiled.items() if kind == "value"}
    assert len(ours) > 500
    assert ours == theirs


def test_sizes_of_structures(compiled: dict[tuple[str, str], int]) -> None:
    ours = {name: cls.SIZE for name, cls in structures().items()}
    theirs = {name: v for (kind, name), v in compiled.items() if kind == "sizeof"}
    assert len(ours) > 80
    assert ours == theirs


def test_offsets_of_fields(compiled: dict[tuple[str, str], int]) -> None:
    ours = {
        f"{name}.{path}": cls.offset(path)
        for name, cls in structures().items()
        for path, _ in paths(cls)
    }
    theirs = {name: v for (kind, name), v in compiled.items() if kind == "offset"}
    assert len(ours) > 500
    assert ours == theirs


def test_sizes_and_signs_of_fields(compiled: dict[tuple[str, str], int]) -> None:
    for name, cls in structures().items():
        for path, kind in paths(cls):
            if kind is not None:
                assert compiled["size", f"{name}.{path}"] == field_size(kind), path
            if isinstance(kind, Scalar):
                signed = bool(compiled["signed", f"{name}.{path}"])
                assert signed == kind.code.islower(), path


@pytest.mark.parametrize(
    ("ring", "element_size", "size"),
    [
        (
            qxl_dev.QXLCommandRing,
            qxl_dev.QXLCommand.SIZE,
            qxl_dev.QXL_COMMAND_RING_SIZE,
        ),
        (qxl_dev.QXLCursorRing, qxl_dev.QXLCommand.SIZE, qxl_dev.QXL_CURSOR_RING_SIZE),
        (qxl_dev.QXLReleaseRing, 8, qxl_dev.QXL_RELEASE_RING_SIZE),
    ],
)
def test_ring_layout(
    compiled: dict[tuple[str, str], int],
    ring: type[WireStruct],
    element_size: int,
    size: int,
) -> None:
    layout = RingLayout(element_size, size)
    assert compiled["sizeof", ring.__name__] == layout.total_size
    assert compiled["offset", f"{ring.__name__}.items"] == RING_HEADER_SIZE


def test_every_enumerator_is_tabled(header_text: str) -> None:
    bodies = re.findall(r"\benum\b\s*\w*\s*\{(.*?)\}", header_text, re.DOTALL)
    names = [
        name
        for body in bodies
        for entry in body.split(",")
        if (name := re.sub(r"=.*|SPICE_GNUC\w+", "", entry, flags=re.DOTALL).strip())
    ]
    assert len(names) > 500
    ours = enumerators()
    missing = [n for n in names if n not in ours and not NOT_TABLED.search(n)]
    assert missing == []


def test_every_structure_is_tabled(header_text: str) -> None:
    bodies = r"typedef\s+(?:struct|union)\b[^;{]*\{"
    names = set()
    for match in re.finditer(bodies, header_text):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(header_text[end], 0)
            end += 1
        declared = header_text[end : header_text.index(";", end)]
        names |= {name.strip() for name in declared.split(",")}
    assert len(names) > 80
    assert names - set(structures()) == NOT_TABLED_STRUCTS
