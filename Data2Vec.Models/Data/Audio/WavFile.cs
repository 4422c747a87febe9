using System.Buffers.Binary;
using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>
/// Reads WAV files: RIFF and RF64; PCM of 1 to 32 bits in containers of 8, 16, 24 or 32; IEEE float of 32 or 64 bits;
/// plain and extensible formats; any other chunks in any order.
/// </summary>
/// <remarks>
/// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" and the documentation of
/// WAVEFORMATEXTENSIBLE; RF64: EBU Tech 3306. Lengths are checked against the file before memory is taken.
/// </remarks>
public static class WavFile
{
    private const int ChunkHead = 8;
    private const int MostChannels = 256;
    private const int HighestRate = 1 << 20;
    private const uint SizeUnknown = 0xFFFF_FFFF;
    private const int Pcm = 1;
    private const int IeeeFloat = 3;
    private const int Extensible = 0xFFFE;

    // A format tag followed by this is a registered one in a GUID.
    private static ReadOnlySpan<byte> GuidTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    /// <summary>True for a file that begins as a WAV file does.</summary>
    public static bool Recognises(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 4 && (bytes[..4].SequenceEqual("RIFF"u8) || bytes[..4].SequenceEqual("RF64"u8));

    /// <summary>All samples.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">One sentence with file, byte and what is wrong there.</exception>
    public static StoredAudio Read(byte[] bytes, string name)
    {
        var layout = Layout.Find(bytes, bytes.Length, name)!.Value;
        return Decode(bytes.AsSpan((int)layout.DataStart, (int)layout.DataLength), layout);
    }

    /// <summary>Format and length from the beginning of a file; null when they lie further on.</summary>
    /// <param name="head">The first bytes.</param>
    /// <param name="length">Bytes of the whole file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">As for the whole file, as far as its head shows it.</exception>
    internal static AudioHeader? ReadHeader(ReadOnlySpan<byte> head, long length, string name) =>
        Layout.Find(head, length, name) is { } layout
            ? new AudioHeader(layout.Format, layout.DataLength / layout.Frame)
            : null;

    /// <summary>The byte where sample <paramref name="index"/> of the first channel lies; 0 for another file.</summary>
    internal static long OffsetOf(byte[] bytes, string name, long index)
    {
        if (!Recognises(bytes)) return 0;
        var layout = Layout.Find(bytes, bytes.Length, name)!.Value;
        return layout.DataStart + index * layout.Frame;
    }

    private static StoredAudio Decode(ReadOnlySpan<byte> data, in Layout layout)
    {
        var size = layout.Container / 8;
        var count = data.Length / size;
        if (layout.Format.IsFloat)
        {
            var floats = new double[count];
            for (var i = 0; i < count; i++)
                floats[i] = size == 4
                    ? BinaryPrimitives.ReadSingleLittleEndian(data[(i * 4)..])
                    : BinaryPrimitives.ReadDoubleLittleEndian(data[(i * 8)..]);
            return new StoredAudio(layout.Format, null, floats);
        }
        // The sample sits in the high bits of its container.
        var spare = layout.Container - layout.Format.Bits;
        var integers = new int[count];
        for (var i = 0; i < count; i++)
            integers[i] = size switch
            {
                1 => data[i] - 128,
                2 => BinaryPrimitives.ReadInt16LittleEndian(data[(i * 2)..]),
                3 => data[i * 3] | data[i * 3 + 1] << 8 | (sbyte)data[i * 3 + 2] << 16,
                _ => BinaryPrimitives.ReadInt32LittleEndian(data[(i * 4)..]),
            } >> spare;
        return new StoredAudio(layout.Format, integers, null);
    }

    /// <summary>Where the samples lie and of what kind they are.</summary>
    private readonly record struct Layout(AudioFormat Format, int Container, long DataStart, long DataLength)
    {
        /// <summary>Bytes of one sample of all channels.</summary>
        public int Frame => Format.Channels * Container / 8;

        /// <summary>Walks the chunks up to the data; null when it leaves the bytes that are there.</summary>
        /// <param name="bytes">The file, or its beginning.</param>
        /// <param name="length">Bytes of the file.</param>
        /// <param name="name">What messages call it.</param>
        public static Layout? Find(ReadOnlySpan<byte> bytes, long length, string name)
        {
            if (length < 12 || !bytes[8..12].SequenceEqual("WAVE"u8))
                throw AudioError.At(name, Math.Min(8, length), length < 12
                    ? "the file ends within the RIFF header of 12 bytes"
                    : "the RIFF file is of another kind than WAVE");
            Layout? format = null;
            long? longSize = null;
            for (long at = 12; at < length;)
            {
                var left = length - at - ChunkHead;
                if (left < 0)
                    throw AudioError.At(name, at, "the file ends within the header of a chunk, before any data chunk");
                if (at + ChunkHead > bytes.Length) return null;
                var id = bytes.Slice((int)at, 4);
                long size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[((int)at + 4)..]);
                var body = (int)at + ChunkHead;
                if (id.SequenceEqual("data"u8))
                {
                    if (format is not { } known)
                        throw AudioError.At(name, at, "the data chunk comes before a fmt chunk");
                    if (size == SizeUnknown) size = longSize ?? left;
                    return known.WithData(name, at, body, size, left);
                }
                if (size > left)
                    throw AudioError.At(name, at, $"the chunk {Printable(id)} says that it has {size} bytes, "
                        + $"but the file has {left} left");
                var isFormat = id.SequenceEqual("fmt "u8);
                var isLong = id.SequenceEqual("ds64"u8);
                if ((isFormat || isLong) && body + size > bytes.Length) return null;
                if (isFormat) format = ReadFormat(bytes.Slice(body, (int)size), name, body);
                if (isLong && size < 24)
                    throw AudioError.At(name, at, $"the ds64 chunk has {size} bytes, at least 24 are needed");
                if (isLong) longSize = BinaryPrimitives.ReadInt64LittleEndian(bytes[(body + 8)..]);
                // A chunk of odd size is followed by a byte that its size does not count.
                at = body + size + (size & 1);
            }
            throw AudioError.At(name, length, "the file ends without a data chunk");
        }

        private Layout WithData(string name, long at, int body, long size, long left)
        {
            if (size < 0 || size > left)
                throw AudioError.At(name, at,
                    $"the data chunk says that it has {size} bytes, but the file has {left} left");
            if (size % Frame != 0)
                throw AudioError.At(name, at, $"the data chunk has {size} bytes, no multiple of the {Frame} bytes of "
                    + $"one sample of {Format.Channels} channels");
            return this with { DataStart = body, DataLength = size };
        }

        private static Layout ReadFormat(ReadOnlySpan<byte> fmt, string name, int at)
        {
            if (fmt.Length < 16)
                throw AudioError.At(name, at, $"the fmt chunk has {fmt.Length} bytes, at least 16 are needed");
            int tag = BinaryPrimitives.ReadUInt16LittleEndian(fmt);
            int channels = BinaryPrimitives.ReadUInt16LittleEndian(fmt[2..]);
            var rate = BinaryPrimitives.ReadUInt32LittleEndian(fmt[4..]);
            int align = BinaryPrimitives.ReadUInt16LittleEndian(fmt[12..]);
            int bits = BinaryPrimitives.ReadUInt16LittleEndian(fmt[14..]);
            if (channels is 0 or > MostChannels)
                throw AudioError.At(name, at + 2,
                    $"the number of channels is {channels}; expected 1 to {MostChannels}");
            if (rate is 0 or > HighestRate)
                throw AudioError.At(name, at + 4, $"the sample rate is {rate}; expected 1 to {HighestRate}");
            var container = (bits + 7) / 8 * 8;
            if (tag == Extensible) (tag, bits) = ReadExtension(fmt, name, at, bits);
            if (tag is not (Pcm or IeeeFloat))
                throw AudioError.At(name, at, $"the format tag is {tag}; read are 1 (PCM) and 3 (IEEE float)");
            var fits = tag == Pcm ? container is 8 or 16 or 24 or 32 : bits == container && container is 32 or 64;
            if (!fits || bits == 0 || bits > container)
                throw AudioError.At(name, at + 14, $"samples of {bits} bits in {container} cannot be "
                    + (tag == Pcm ? "PCM; expected 8, 16, 24 or 32" : "IEEE float; expected 32 or 64"));
            if (align != channels * container / 8)
                throw AudioError.At(name, at + 12, $"a sample of all channels has {align} bytes, but {channels} "
                    + $"channels of {container} bits need {channels * container / 8}");
            return new Layout(new AudioFormat((int)rate, channels, bits, tag == IeeeFloat), container, 0, 0);
        }

        private static (int Tag, int Bits) ReadExtension(ReadOnlySpan<byte> fmt, string name, int at, int bits)
        {
            if (fmt.Length < 40)
                throw AudioError.At(name, at,
                    $"the extensible fmt chunk has {fmt.Length} bytes, at least 40 are needed");
            if (!fmt[26..40].SequenceEqual(GuidTail))
                throw AudioError.At(name, at + 24, "the format is a GUID that stands for no format tag");
            int valid = BinaryPrimitives.ReadUInt16LittleEndian(fmt[18..]);
            return (BinaryPrimitives.ReadUInt16LittleEndian(fmt[24..]), valid == 0 ? bits : valid);
        }

        private static string Printable(ReadOnlySpan<byte> id)
        {
            foreach (var b in id)
                if (b is < 0x20 or > 0x7E) return Convert.ToHexStringLower(id);
            return $"\"{Encoding.ASCII.GetString(id)}\"";
        }
    }
}
