using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Data2Vec.Models.Data;

/// <summary>
/// Reads FLAC files bit by bit as they were encoded: 4 to 32 bits, 1 to 8 channels, fixed and variable blocks, every
/// kind of subframe; check sums of frames and the MD5 of the samples are verified.
/// </summary>
/// <remarks>
/// Source: RFC 9639. The whole file must be sound: a cut, a gap, bytes after the last frame, or values that differ from
/// STREAMINFO are errors. Ogg FLAC is not read.
/// </remarks>
public static class FlacFile
{
    // A frame of ten bytes can stand for half a million samples of silence, so that the size of the file bounds
    // nothing. More values than this are taken only at 64 for each byte of the file, which no recording reaches.
    private const long FreeValues = 1 << 24;
    private const long ValuesPerByte = 64;

    /// <summary>True for a file with the FLAC marker in front or behind an ID3v2 tag.</summary>
    public static bool Recognises(ReadOnlySpan<byte> bytes) => FlacStreamInfo.Marker(bytes) >= 0;

    /// <summary>All samples.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">One sentence with file, byte and what is wrong there.</exception>
    public static StoredAudio Read(byte[] bytes, string name)
    {
        var info = FlacStreamInfo.Read(bytes, name);
        using var output = new FlacOutput(info, bytes.Length, name);
        var blocks = new long[info.Format.Channels][];
        for (var c = 0; c < blocks.Length; c++) blocks[c] = new long[info.MostBlock];
        var (at, frames, first) = (info.FirstFrame, 0L, default(FlacFrameHeader));
        var previous = first;
        while (at < bytes.Length)
        {
            if (info.Total > 0 && output.Samples == info.Total)
                throw AudioError.At(name, at, $"{bytes.Length - at} bytes follow the last frame");
            var header = FlacFrameHeader.Read(bytes, name, at, info);
            if (frames == 0) first = header;
            CheckOrder(header, first, previous, frames, output.Samples, name, at);
            var start = at;
            at = ReadFrame(bytes, name, start, header, info, blocks);
            output.Append(blocks, header.Block, start);
            previous = header;
            frames++;
        }
        return output.Finish(bytes.Length);
    }

    /// <summary>
    /// Frames follow each other without gaps; only the last of a stream of fixed blocks may be shorter.
    /// </summary>
    private static void CheckOrder(
        in FlacFrameHeader header, in FlacFrameHeader first, in FlacFrameHeader previous, long frames, long samples,
        string name, int at)
    {
        if (header.Variable != first.Variable)
            throw AudioError.At(name, at, "a frame with fixed blocks stands among frames with variable ones");
        var expected = header.Variable ? samples : frames;
        if (header.Number != expected)
            throw AudioError.At(name, at, $"the frame has number {header.Number}; expected {expected}");
        if (!header.Variable && frames > 0 && (previous.Block != first.Block || header.Block > first.Block))
            throw AudioError.At(name, at, $"a block of {header.Block} samples follows one of {previous.Block} "
                + $"in a stream of blocks of {first.Block}");
    }

    private static int ReadFrame(
        byte[] bytes, string name, int start, in FlacFrameHeader header, FlacStreamInfo info, long[][] blocks)
    {
        var bits = new FlacBits(bytes, name, header.End);
        for (var c = 0; c < header.Channels; c++)
        {
            // A difference of two channels needs one more bit.
            var side = c == (header.Stereo == FlacStereo.SideRight ? 0 : 1) && header.Stereo != FlacStereo.Independent;
            FlacSubframe.Decode(
                ref bits, name, blocks[c].AsSpan(0, header.Block), info.Format.Bits + (side ? 1 : 0));
        }
        bits.Align();
        var end = bits.Byte;
        if (CheckSums.Differ(bits.Read(16), FlacCrc.Crc16(bytes.AsSpan(start, end - start))))
            throw AudioError.At(name, end, "the check sum (CRC-16) of the frame is wrong");
        if (header.Stereo != FlacStereo.Independent)
            Separate(header.Stereo, blocks[0].AsSpan(0, header.Block), blocks[1].AsSpan(0, header.Block),
                info.Format.Bits, name, start);
        return end + 2;
    }

    private static void Separate(
        FlacStereo stereo, Span<long> first, Span<long> second, int bits, string name, int start)
    {
        var half = 1L << (bits - 1);
        for (var i = 0; i < first.Length; i++)
        {
            var (a, b) = (first[i], second[i]);
            // Half the sum lost its lowest bit, which is that of the difference.
            var sum = a << 1 | b & 1;
            var (left, right) = stereo switch
            {
                FlacStereo.LeftSide => (a, a - b),
                FlacStereo.SideRight => (a + b, b),
                _ => ((sum + b) >> 1, (sum - b) >> 1),
            };
            if ((ulong)(left + half) >= (ulong)half * 2 || (ulong)(right + half) >= (ulong)half * 2)
                throw AudioError.At(name, start, $"sample {i} of the frame does not fit into {bits} bits");
            (first[i], second[i]) = (left, right);
        }
    }

    /// <summary>Collects the decoded blocks and their MD5.</summary>
    private sealed class FlacOutput : IDisposable
    {
        private readonly FlacStreamInfo info;
        private readonly string name;
        private readonly IncrementalHash? md5;
        private readonly long most;
        private int[] values;
        private byte[] raw = [];
        private int count;

        public FlacOutput(FlacStreamInfo info, int fileSize, string name)
        {
            this.info = info;
            this.name = name;
            most = Math.Min(Array.MaxLength, FreeValues + ValuesPerByte * fileSize);
            if (info.Md5 is not null) md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
            // What the file declares, but no more than it could plausibly hold: the rest grows as it is decoded.
            var declared = info.Total * info.Format.Channels;
            values = new int[Math.Min(declared, Math.Min(most, 4L * fileSize))];
        }

        public long Samples => count / info.Format.Channels;

        public void Append(long[][] blocks, int block, int at)
        {
            var channels = blocks.Length;
            var needed = count + (long)block * channels;
            if (info.Total > 0 && needed > info.Total * channels)
                throw AudioError.At(name, at, $"the frame ends after sample {needed / channels}, but STREAMINFO says "
                    + $"that there are {info.Total}");
            if (needed > most)
                throw AudioError.At(name, at, $"the file holds more than {most} values, too many for its size");
            if (needed > values.Length)
                Array.Resize(ref values, (int)Math.Min(most, Math.Max(needed, 2L * values.Length)));
            var target = values.AsSpan(count, block * channels);
            for (var c = 0; c < channels; c++)
                for (int i = 0, to = c; i < block; i++, to += channels) target[to] = (int)blocks[c][i];
            count = (int)needed;
            if (md5 is not null) AppendMd5(target);
        }

        public StoredAudio Finish(int end)
        {
            if (info.Total > 0 && Samples < info.Total)
                throw AudioError.At(name, end,
                    $"the file ends after {Samples} samples, but STREAMINFO says that there are {info.Total}");
            if (md5 is not null && CheckSums.Differ(info.Md5, md5.GetHashAndReset()))
                throw AudioError.At(name, end, "the MD5 of the samples is not the one in STREAMINFO");
            if (values.Length != count) Array.Resize(ref values, count);
            return new StoredAudio(info.Format, values, null);
        }

        public void Dispose() => md5?.Dispose();

        /// <summary>The MD5 is that of the samples in little-endian order, each in as few bytes as it needs.</summary>
        private void AppendMd5(ReadOnlySpan<int> samples)
        {
            var size = (info.Format.Bits + 7) / 8;
            if (raw.Length < samples.Length * size) raw = new byte[samples.Length * size];
            for (var i = 0; i < samples.Length; i++)
            {
                var to = raw.AsSpan(i * size, size);
                if (size == 2) BinaryPrimitives.WriteInt16LittleEndian(to, (short)samples[i]);
                else
                    for (var b = 0; b < size; b++) to[b] = (byte)(samples[i] >> (8 * b));
            }
            md5!.AppendData(raw, 0, samples.Length * size);
        }
    }
}
