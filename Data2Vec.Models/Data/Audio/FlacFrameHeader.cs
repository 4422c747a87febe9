using System.Numerics;

namespace Data2Vec.Models.Data;

/// <summary>How the two channels of a frame were combined.</summary>
internal enum FlacStereo
{
    /// <summary>Every channel by itself.</summary>
    Independent,
    /// <summary>Left, and left - right.</summary>
    LeftSide,
    /// <summary>Left - right, and right.</summary>
    SideRight,
    /// <summary>Half the sum, and left - right.</summary>
    MidSide,
}

/// <summary>The head of a frame. Source: RFC 9639, section 9.1.</summary>
/// <param name="Variable">Blocks of various lengths: <paramref name="Number"/> counts samples, not frames.</param>
/// <param name="Block">Samples of one channel.</param>
/// <param name="Channels">Number of channels.</param>
/// <param name="Stereo">How they were combined.</param>
/// <param name="Number">Number of the frame, or of its first sample.</param>
/// <param name="End">The byte after the head.</param>
internal readonly record struct FlacFrameHeader(
    bool Variable, int Block, int Channels, FlacStereo Stereo, long Number, int End)
{
    private static readonly int[] Rates =
        [0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000];

    private static readonly int[] Widths = [0, 8, 12, -1, 16, 20, 24, 32];

    /// <summary>Reads and checks a head; what it leaves open or repeats must agree with the stream's own.</summary>
    public static FlacFrameHeader Read(ReadOnlySpan<byte> bytes, string name, int start, FlacStreamInfo info)
    {
        var bits = new FlacBits(bytes, name, start);
        if (bits.Read(15) != 0x7FFC)
            throw AudioError.At(name, start, $"expected a frame (ff f8 or ff f9), found "
                + Convert.ToHexStringLower(bytes[start..Math.Min(bytes.Length, start + 2)]));
        var variable = bits.Read(1) == 1;
        var blockCode = (int)bits.Read(4);
        var rateCode = (int)bits.Read(4);
        var channelCode = (int)bits.Read(4);
        var widthCode = (int)bits.Read(3);
        if (bits.Read(1) != 0) throw AudioError.At(name, start + 3, "a reserved bit of the frame's head is set");
        var number = ReadNumber(ref bits, name, variable);
        var block = blockCode switch
        {
            1 => 192,
            >= 2 and <= 5 => 576 << (blockCode - 2),
            6 => (int)bits.Read(8) + 1,
            7 => (int)bits.Read(16) + 1,
            >= 8 => 256 << (blockCode - 8),
            _ => throw AudioError.At(name, start + 2, "the block size code 0 is reserved"),
        };
        var rate = rateCode switch
        {
            0 => info.Format.SampleRate,
            <= 11 => Rates[rateCode],
            12 => (int)bits.Read(8) * 1000,
            13 => (int)bits.Read(16),
            14 => (int)bits.Read(16) * 10,
            _ => throw AudioError.At(name, start + 2, "the sample rate code 15 is forbidden"),
        };
        var end = bits.Byte;
        if (CheckSums.Differ(bits.Read(8), FlacCrc.Crc8(bytes[start..end])))
            throw AudioError.At(name, end, "the check sum (CRC-8) of the frame's head is wrong");
        if (channelCode > 10) throw AudioError.At(name, start + 3, $"the channel code {channelCode} is reserved");
        if (Widths[widthCode] < 0) throw AudioError.At(name, start + 3, "the sample size code 3 is reserved");
        var channels = channelCode < 8 ? channelCode + 1 : 2;
        var width = widthCode == 0 ? info.Format.Bits : Widths[widthCode];
        var format = info.Format;
        if (channels != format.Channels || width != format.Bits || rate != format.SampleRate)
            throw AudioError.At(name, start, $"the frame has {channels} channels of {width} bits at {rate} Hz, "
                + $"but STREAMINFO says {format.Channels} of {format.Bits} at {format.SampleRate}");
        if (block > info.MostBlock)
            throw AudioError.At(name, start,
                $"the frame has {block} samples, but STREAMINFO says at most {info.MostBlock}");
        var stereo = channelCode < 8 ? FlacStereo.Independent : FlacStereo.LeftSide + (channelCode - 8);
        return new FlacFrameHeader(variable, block, channels, stereo, number, end + 1);
    }

    /// <summary>
    /// The number of a frame (31 bits) or sample (36 bits) in a code like UTF-8 of up to seven bytes.
    /// </summary>
    private static long ReadNumber(ref FlacBits bits, string name, bool variable)
    {
        var at = bits.Byte;
        var first = (byte)bits.Read(8);
        var ones = BitOperations.LeadingZeroCount((uint)(byte)~first << 24);
        if (ones == 0) return first;
        if (ones is 1 or > 7 || (ones == 7 && !variable))
            throw AudioError.At(name, at, "the number of the frame is not coded as it should be");
        long number = first & (0x7F >> ones);
        for (var i = 1; i < ones; i++)
        {
            var more = bits.Read(8);
            if (more >> 6 != 2)
                throw AudioError.At(name, at + i, "the number of the frame is not coded as it should be");
            number = number << 6 | more & 0x3F;
        }
        return number;
    }
}
