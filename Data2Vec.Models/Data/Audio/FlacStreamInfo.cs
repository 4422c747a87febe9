using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>What a FLAC file says about itself in front of its frames.</summary>
/// <param name="MostBlock">Samples of the longest block.</param>
/// <param name="Format">Rate, channels and bits.</param>
/// <param name="Total">Samples of one channel; 0 = not known.</param>
/// <param name="Md5">MD5 of the samples; null = not known.</param>
/// <param name="FirstFrame">Where the frames begin.</param>
internal sealed record FlacStreamInfo(int MostBlock, AudioFormat Format, long Total, byte[]? Md5, int FirstFrame)
{
    private const int BlockHead = 4;
    private const int Size = 34;
    private const int ForbiddenType = 127;

    /// <summary>Where "fLaC" stands: at 0, or behind an ID3v2 tag; -1 = nowhere.</summary>
    public static int Marker(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("fLaC"u8)) return 0;
        if (bytes.Length < 10 || !bytes.StartsWith("ID3"u8)) return -1;
        // Four bytes of seven bits each; a flag says that the header is repeated at the end.
        long size = 10 + ((bytes[5] & 0x10) != 0 ? 10 : 0);
        for (var i = 0; i < 4; i++)
        {
            if (bytes[6 + i] > 0x7F) return -1;
            size += (long)bytes[6 + i] << (7 * (3 - i));
        }
        return size < bytes.Length && bytes[(int)size..].StartsWith("fLaC"u8) ? (int)size : -1;
    }

    public static FlacStreamInfo Read(ReadOnlySpan<byte> bytes, string name)
    {
        var at = Marker(bytes);
        if (at < 0) throw AudioError.At(name, 0, "there is no fLaC marker");
        at += 4;
        FlacStreamInfo? info = null;
        for (var last = false; !last;)
        {
            if (bytes.Length - at < BlockHead)
                throw AudioError.At(name, bytes.Length, "the file ends within the metadata");
            last = (bytes[at] & 0x80) != 0;
            var type = bytes[at] & 0x7F;
            var length = bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
            if (info is null != (type == 0) || type == ForbiddenType)
                throw AudioError.At(name, at, info is null
                    ? $"the first metadata block has type {type}; expected STREAMINFO (0)"
                    : $"a metadata block of type {type} may not stand here");
            if (info is null && length != Size)
                throw AudioError.At(name, at, $"STREAMINFO has {length} bytes; expected {Size}");
            if (length > bytes.Length - at - BlockHead)
                throw AudioError.At(name, at, $"a metadata block says that it has {length} bytes, "
                    + $"but the file has {bytes.Length - at - BlockHead} left");
            info ??= ReadInfo(bytes.Slice(at + BlockHead, Size), name, at + BlockHead);
            at += BlockHead + length;
        }
        return info! with { FirstFrame = at };
    }

    /// <summary>
    /// Format and length from the beginning of a file; null when they lie further on or are not known.
    /// </summary>
    public static AudioHeader? ReadHeader(ReadOnlySpan<byte> head, string name)
    {
        var at = Marker(head) + 4;
        if (head.Length - at < BlockHead + Size) return null;
        // What is wrong with the other metadata comes out when the file is read.
        if ((head[at] & 0x7F) != 0) return null;
        var info = ReadInfo(head.Slice(at + BlockHead, Size), name, at + BlockHead);
        return info.Total == 0 ? null : new AudioHeader(info.Format, info.Total);
    }

    private static FlacStreamInfo ReadInfo(ReadOnlySpan<byte> block, string name, int at)
    {
        var most = BinaryPrimitives.ReadUInt16BigEndian(block[2..]);
        // 20 bits rate, 3 bits channels - 1, 5 bits width - 1, 36 bits number of samples.
        var packed = BinaryPrimitives.ReadUInt64BigEndian(block[10..]);
        var rate = (int)(packed >> 44);
        var channels = (int)(packed >> 41 & 7) + 1;
        var bits = (int)(packed >> 36 & 31) + 1;
        if (most == 0) throw AudioError.At(name, at + 2, "the longest block has 0 samples");
        if (rate == 0) throw AudioError.At(name, at + 10, "the sample rate is 0; expected at least 1");
        if (bits < 4) throw AudioError.At(name, at + 12, $"the samples have {bits} bits; expected 4 to 32");
        var md5 = block[18..34];
        return new FlacStreamInfo(most, new AudioFormat(rate, channels, bits, false), (long)(packed & 0xF_FFFF_FFFF),
            md5.ContainsAnyExcept((byte)0) ? md5.ToArray() : null, 0);
    }
}
