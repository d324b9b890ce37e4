"""The drawn portrait of a simulated card, as JPEG and JPEG 2000, and DG2 around it.

Source: ICAO 9303-10 4.7.2 (DG2), ISO 19785-3 (CBEFF header), ISO 19794-5:2005 5 (facial record).
"""

from base64 import b64decode
from typing import Final, Literal

from simulators.chip_ber import integer, tlv

Format = Literal["jpeg", "jp2"]

_WIDTH: Final = 240
_HEIGHT: Final = 320
_LONGEST_SEGMENT: Final = 0xFFFF
_JFIF_HEAD: Final = 20
_PADDING_ID: Final = bytes.fromhex("9f1c5a3e77d04b0c8a52c6e0b1f4d239")


def data_group_2(form: Format, sex: Literal["M", "F"], size: int = 0) -> tuple[bytes, bytes]:
    """DG2 (`75`) with one face, and the image in it; the image is padded until the file has `size` bytes.

    Without padding a file has some 2,600 bytes. The padding itself has at least 4 bytes (JPEG) or 24 (JP2).
    """
    image = _padded(form, 0)
    file = _wrapped(image, form, sex)
    while (missing := size - len(file)) > 0:
        image = _padded(form, len(image) + missing)
        file = _wrapped(image, form, sex)
    return file, image


def _wrapped(image: bytes, form: Format, sex: Literal["M", "F"]) -> bytes:
    """One biometric information template: CBEFF header, then a facial record without feature points.

    The header says ICAO version 0101, facial features, format owner 0101 (ISO/IEC JTC 1/SC 37), format type 0008.
    """
    header = tlv(0xA1, bytes.fromhex("80020101 810102 820100 87020101 88020008"))
    information = bytes((0, 0, 1 if sex == "M" else 2)) + bytes(13)
    kind = bytes((1, 0 if form == "jpeg" else 1))
    picture = kind + _WIDTH.to_bytes(2, "big") + _HEIGHT.to_bytes(2, "big") + bytes((1, 2)) + bytes(4)
    face = (4 + len(information) + len(picture) + len(image)).to_bytes(4, "big") + information + picture + image
    record = b"FAC\x00010\x00" + (14 + len(face)).to_bytes(4, "big") + b"\x00\x01" + face
    return tlv(0x75, tlv(0x7F61, integer(1), tlv(0x7F60, header, tlv(0x5F2E, record))))


def _padded(form: Format, size: int) -> bytes:
    """The picture of nobody, 240 x 320 in colour, with padding that readers skip.

    A JPEG is padded by comment segments (ITU-T T.81 B.2.4.5), a JP2 by a UUID box (ISO 15444-1 I.7.2).
    """
    if form == "jpeg":
        jpeg = b64decode(_JPEG)
        return jpeg[:_JFIF_HEAD] + _comments(size - len(jpeg)) + jpeg[_JFIF_HEAD:]
    jp2 = b64decode(_JP2)
    return jp2 + _box(size - len(jp2))


def _comments(missing: int) -> bytes:
    """Comment segments of `missing` bytes in all, at least 4; nothing when nothing is missing."""
    out = b""
    while missing > 0:
        length = max(2, min(missing - 2, _LONGEST_SEGMENT))
        out += b"\xff\xfe" + length.to_bytes(2, "big") + bytes(length - 2)
        missing -= 2 + length
    return out


def _box(missing: int) -> bytes:
    """A UUID box of `missing` bytes, at least 24; nothing when nothing is missing."""
    if missing <= 0:
        return b""
    size = max(24, missing)
    return size.to_bytes(4, "big") + b"uuid" + _PADDING_ID + bytes(size - 24)


_JPEG: Final = """
/9j/4AAQSkZJRgABAQEBLAEsAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6
T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAFAAPADASIAAhEBAxEB
/8QAGgABAAIDAQAAAAAAAAAAAAAAAAMFAgQGAf/EADoQAQACAQIDBAcFBwQDAAAAAAABAgMEEQUSISIxQVETFFRhcZLBFSMyUoEGMzRikaGxQnPR4SRygv
/EABgBAQEBAQEAAAAAAAAAAAAAAAACAQME/8QAHhEBAQADAQADAQEAAAAAAAAAAAECETESAxNBIWH/2gAMAwEAAhEDEQA/ALwBSQAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGrm4lo8M7X1FN/Kvan+wNoVluPaOJ6Rlt8K7fUrx7RzPWuWv/wA7/Vm26WY1cPE9Fm
namorE+VuzP9213xu1gAAAAAAAAAAAAAAAAAAAABPSN5AVuv4zh00zjxRGXLHftPZj4y0eK8Xtlm2DS22x91rx32+HuU7LVSNnVa7U6ufvcszX8sdK/wBG
sCWgADY0ut1Oln7nLMR+WesT+jXAdLoONYdRMY88RiyT3Tv2Z/4Wbh1twri9sE1w6m02xd0Wnvp/0qVljogiYmImJ3ie6YGpAAAAAAAAAAAAAAAAFDx3iP
NM6TDbsx+8tHjPkseLa31PSzNZ+9v2ae73uU7+9lrZABKgAAAAAAAFzwPiPo7Rpc1uxaexM/6Z8vgv3Dup4PrfXNLted8uPpb3+UqlTY3wGsAAAAAAAAAA
AAAa3E9R6tocuSJ7W3LX4z0BzvF9V61rrzE70p2K/p4/1aQIWAAAAAAAAAANvheq9U1tLzO1Ldm/wlqAO4GpwrUes8PxXmd7RHLb4w21oAAAAAAAAAAAAF
L+0uXbHhwx4zN5/TounNftDfm4jy/kpEfVlbFYC84Jgw5dJe2TFS888xvasT4Qi3S5NqMdZ6npvZ8XyQep6b2fF8kM9N8uTHWep6b2fF8kHqem9nxfJB6P
Lkx1nqem9nxfJB6npvZ8XyQejy5MdZ6npvZ8XyQep6b2fF8kHo8uTHWep6b2fF8kHqem9nxfJB6PLkxe8a0+HFootjxUpPPEb1rEeaibLtlml5+zWX9/hn
3Xj/E/ReOY4Dfk4lWPz1tX6/R064igDWAAAAAAAAAADk+MW5uKZ/daI/tDrFfqOD6XPlvmvOTmvO87W6MrY5df8A/gr/7k/wCIZfYmk88vzf8ATb0mlx6T
HOPFzcszv2p3crdx1k0mHtazadqxuhyarS4s/oMmpx1yb7bTPdPvnuhOq3cSjK9LU/FDEaAAAyrS157MbgxEVNVpb6j0FdTjnLvttv3z5b9ya1ZrO1o2NV
m4rePfwEf7kfVzzrNVpserxejy83Lvv2Z2an2JpPPL83/SpdMs2qeFW5eJ6ef59nWq7T8G0uHLjzUnJzUmLRvbpv8A0WLrHKgDWAAAAAAAAAADy34ZevLf
hll42dRAODu2NPMcsxHfu4jUUyU1OTHlifSc0xMeMzu6+J27nszveLzETaO60xG8fquZaRcWeCLY+HYqZv3kY6xO/nsjezMzO8zu8TbtUmgeXtyUm3kUtz
Vi2227GvU1otfRZKYp2yTS0R8dkL2JmJ3idmy6ZZtx2LHktmripWfS80RFfGJdxnnbHEWneyDfa83iIi899to3/qTMzO8quSZi8AQtLT8MPXlPww9d5xwv
QBrAAAAAAAAAAAnukAQj2ekvHnegAAABFqZ2xbecpKxtWI8oRZ+t8dfOUwAAAAAEd4Jq90APQ84AAAAAAAAAAAAACO8bWYpMkdN/JG45TVdsbuACVAAI8m
ObWi1bbTD2kZYt27RMMwAAAABlSN7MUmOOm7cZupyuoyAd3EAAAAAAAAAAAAAA70UxtOyVjeu8bozm4vC6qMBydUee98eK1qV5pjwY6bUVz44mJjmjvhM1
c2ii1ufDb0d/d3DZr9bQ0v8Az8fTat48+km+vv02rT39IG+f9bGoz1wUmZnteEeb3T3vkw1vesVmfCEGHQxFufNb0lv7NsZdAAx7EbzsljpDGkeLJ1wmo5
Z3dAFoAAAAAAAAAAAAAAAAR3rt1juYpmFqbdY7nLLH9jrjl+VgAhYAAAAypXfrPcVpv39yReOP7UZZfkAHVyAAAAAAAAAAAAAAAAAAAAY3iOWZ8UXNCbJ+
Cfg13LPrrhxnvHmbx5sBC2XNCXHETWJQJ8f4IVh1GfGQDs5AAAAAAAAAAAAAAAAAAAI9RqMWmpzZbbeUeMgkQZ9Zg0/TJkjm/LHWVTquJ5s+9afd08onrP
6tJUxZtcRxSM2auLHi2radt7T1bKk0f8Xi/wDZduPyz+uvx8AHJ0GtbinoM1sV8W9aztvWerZUuu/jMnx+jr8U/rn8nF5g1un1HSmSOb8tukp3Kt3S8SzY
Nq3n0lPKZ6x8Jdri5bXoi0+pxamnNjtv5xPfCVLQAAAAAAAAAAAAAAGpxDWxpce1dpy27o8vfIGu11NLHLXa2We6vl75UeXLfNeb5LTa0+MsbWte02tMza
Z3mZ8Xi5NJAGiTT3jHnpe2+1Z3nZY/aOD+f5VUJywmXVTKzi2+0cH8/wAp9o4P5/lVIn6sW/ZVr9o4P5/lV+pyVy6i9677TPTdEKxwmPGXK3oApLLHkviv
F8dpraPGF5oNfXVRyW2rljw8J+Che1ma2i1ZmJjrEx4Ms2OpGnw7Wxqqcl+mWsdffHm3EKAAAAAAAAAAAARanPXTYbZLddu6POfJzuXLfNktkvO9rT1bPE
9V6xqOWs/d06R758Zaa5E0AaAAAAAAAAAAAAMseS2LJW9J2tWd4l0ek1FdTgjJXpPdaPKXNNvh2q9W1Ec0/d36W93vZYRfgIUAAAAAAAANXiWo9X0s8s9u
/Zr/AMtpR8Xzek1c0iezjjb9fFsZWiAtgAAAAAAAAAAAAAAAC/4XqPT6WItPbx9mfo21DwrN6LWVrM9nJ2Z+i+RWwAY0AAAAABjkvGPHa891YmXMWtN7Ta
e+Z3le8WycmhvHjeYqoVYsoApgAAAAAAAAAAAAAAAD2JmJiY746w6fDkjLhpkj/VWJcuveEZOfRRX8lpj6sybG6AhoAAAAACs45bsYaeczKoWXHJ+/xR5U
n/KtXOJoA0AAAAAAAAAAAAAAAAFrwO376nwsqljwSdtTePOn1ZeEXICFAAP/2Q==
"""
_JP2: Final = """
AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAABQAAAAPAAAwcHAAAAAAAPY29scgEAAAAAABAAAAjBanAyY/9P/1
EALwAAAAAA8AAAAUAAAAAAAAAAAAAAAPAAAAFAAAAAAAAAAAAAAwcBAQcBAQcBAf9SAAwAAAABAAUEBAAA/1wAI0J3IHbwdvB2wG8AbwBu4GdQZ1BnaFAF
UAVQR1fTV9NXYv9kACUAAUNyZWF0ZWQgYnkgT3BlbkpQRUcgdmVyc2lvbiAyLjUuNP+QAAoAAAAACCoAAf+Tx9L4FAAdwRBU2iFyuYhY/eRx3g8Q3O1uVS
ngx2hgsPgdbQW+lJxPnoSrwkXEj7JVVWOaSlA93YG1Jzl0egG2kA/H00EUAB3BCj7uSuuGPIkHHILxZzES/jNSWeaS3H0Knd4FlVLMQaygS0Pl4hw/teI+
PaSOyEja5DDEm63BXAj4+GDSUsfQ4BQAHgPFfTADwIi338vOj57CK3hW+slQBYb8tBSvX4fJPIbKzwvZQ1mOXzJAkrBt1Lz7k6Pz8H1Fw+VBH0oYfMgAGd
xknU2soZSp2eGW2o1gjVGw5/I5PocyrpRxIdckg4ckItZDhJsFrfUEc4geTdIGPP5bvOmOCZ2PoK1nW/IEj9YvGrofxUF0DKQnIAseeQnHTt6+uwZQSpoe
ZKGBhcoBMMPmSw+dBD5j4Bnfz5sWpa481eMRm7mXwLD1yGHK4xEOrr2zPmKdctrkKipgrGoj9rETQYJTJpoMy6bJDm1elFo+opREQsX1kie52w7u5y8bfD
iVfkKRQ+TDl9pay0ClhvHs8IVn7eqTVwMYpUDD5ksPmQQfIcAZ39DE03Crr8sTCC45nAU7QHX/LQkkW+va4m//gl98Qt+lHsBmI/auXC2FVW6iRUeXimQH
1eE2z/wwrFlFcMor91b2M9odYwBNh5+8Y+8Zytzz4C59CzoNkM3qfHYY8BQDw+NrD42EHw0ocFVBGj4x+AivKlfZeZcsr3QsPStuxYQeiHMh1Kq5T4/uZJ
vTNWH8Hzor8AB1cCRzzG9ufKsz5lJsiD1JnZiWELf3IrEIEIddbtp2QB1O5BHk8wGQRpC+9/9KUD3w+vYnnVJGJoEp6jMLDnjbCpTFkRV/L8r/DvBSPseo
ezY977g/Xtr/I/7kilRfw+N3D410Hw0QcFVBI2tCxHCl3T5vwTrj7qCYNAXJYHS0qnjOLZKmFUqrOxV0qtZlRU4pcDUq/zZMEibwsbROrZXxwwUz5lKD38
3sKLicP1Ful6L091nCjunR3Hl6sovvE2xRQSBWhFufYLvEYaWaUj6HKeo2LH8iOavwiUXskUUVOBYmuRmnbhUfBtnvNexxtwCOFMPjfQ+NfB8NKHBVQSNr
TljxwM2yGhacZC2XuyCvP6jXKJQL5cnuNv3AObSHWu3P6CVhjq1nFApAFaY5suYHUP0TolwNPtf2M+ZSg9/N7Ci4nD9RcVBYjA5iI8wGmgkDBDfixvZ7sj
/hnHXVKDPXdElYsfkZlewp6jYsfyI5q/CRA9vYrPa7han79hYNXvEeCZtBwkrYy6M8Chdvw9ew+DQIOaux6eouiJ9wnJJEEfgDXfX9SXj75pGvPAaEkish
ctIjjbBiUPg12QlNGOLbj201WpfXwaZ1aTO99jt1ynqIl2kph1UnbNB3wX1n8KXk2eJwuTwyOxTXZjxaJP67W34d9M5JqbozvAA1u3apAaL1aRmHw1qc5x
wDDuRYVqkqo5UTuEB0O0AIxEwGIqqkPafKzwuS0UNXzWRGyxJeyJs+01Vl3nNr7N/oThrD2hw+C/h8FgCx51pNhpSnma0hA3b6RzlAptIX51MecGTs3BWs
pHC5QjFjpVB1hGNbE0hGyyjDKXIiwsMl5YEQ/lKUAuTsyFYgnOc1ll7QOPwz0YaBlv4iWdmemMwLqZ5ziIDB8MeHctencGI8v9IFtvInTO4LkoTZ/208cZ
TwUJjnVTfH7yvDK+YqlRgBuuOf3M3EQBvC/wAzI3EdwnxMz7VTVLPNt9ps1OGN2yPG2Z7vGwR2FpFsLvtQw+HWIfBcQ+CwseAot745v56mTNlDpdSRH/F7
aT66Kuo7BA9ZKNvyLPw3q63VWfi20K0aak2MsfUFTkk9Ae7Xa12qSMiRI1yri7ib02i9Jo1JEfTsfsP7IJtqjVwKd5RaYJZe0Dj7yg3B7NYlLBFr3hXm1o
BZt1diE5dongvf6oVC4gMiT00rxjfCwcmhq6MWf/q3tLFWV9NZlRgBuuOf3M3ELeNnK48eG1WNJRDEoNmmmUsHb15hZ76P42ZyUdRdoLsHCN4sTXjq49sP
WsdpGPaI53k4tKtyR8cG4FrgjPk9+E0/k64f4aIcjYJI/Uif5ARFeGNs/qaXfAD9TnbNsW9EtTvXN/ArBer2oB5EGsv6egfdexn9CjrVpSzRis1tcrRGHC
4wCR5BMYCK8z5NqVVodP45Owi33txaC+wd957hOTYOtKZhQ7FhP9+PkEtqtx+l2/vKBEXHJD9UPAE9VSLx49tvWce6Ux4w47V1hwCIWOignPNeWhVm5WZ8
f9hXEU6Ig8lAr/182Gzixh59mgpOr8mQspSI+BMJPFngj0wqtTvXN/ArBesNURYUhl8kZFhNbuhjdrLcA9GKzW1ytEYcLaTtkpbHtxhNw6mMAs0nSRvx+u
VHbP1iA8a+zavYPLW3Xxrm7UVoGi9x3zRiLH0/PLCRaIDiSrzD/hWHCPTdzxwc4BDNnlGEXg2rAUPK481NamPNSx4847Roehp+24diVjtsA5xFLzRVnLZg
sqfT1L2+k3hppP+EKDw5lalQoRBRqXqM8+BNslUXwv1W+iB9Y4PPWNGKzW1ytEL9RVSB01cmN3EbLCU16PtROgrckBPCOkg1MjR/OWxT4iEs4BDNOhJHVY
gvCkyMOXF+uHa+0gDrGUMrbFOmPdaaL7FitHzZPk9x6V2TRuVEV/iGGAc9fvG8HyuEAwn0h7h2xtQA6xlDK2xOY48AS+sZdh+pJdD9ZuNEGPXB5URX+IYY
Bz0UH+jlOo3RXWmEEb2A/9k=
"""
