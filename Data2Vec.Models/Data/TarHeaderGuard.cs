using System.Buffers.Binary;

namespace Data2Vec.Models.Data;

/// <summary>
/// A tar file that refuses, before the reader sees it, a header whose content would not fit into the rest of the file:
/// the reader allocates a long name or a list of attributes by its declared size.
/// </summary>
internal sealed class TarHeaderGuard(FileStream inner, string path) : Stream
{
    private const int Block = 512;
    private const int SizeField = 124;
    private const int ChecksumField = 148;
    private const int TypeField = 156;

    // Names and attributes; no honest one is longer.
    private const long MostText = 1 << 20;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override int Read(Span<byte> buffer)
    {
        var start = inner.Position;
        var read = inner.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (read == Block) Check(buffer[..Block], start);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private void Check(ReadOnlySpan<byte> block, long start)
    {
        // Data of a member can be 512 bytes too, but does not carry the checksum of a header.
        if (Number(block.Slice(ChecksumField, 8)) != Sum(block)) return;
        var size = Number(block.Slice(SizeField, 12));
        var left = inner.Length - start - Block;
        var text = block[TypeField] is (byte)'L' or (byte)'K' or (byte)'x' or (byte)'g';
        if (size > left || size < 0)
            throw new InvalidDataException(
                $"{path}: byte {start}: the tar header says {size} bytes, but the file has {left} left.");
        if (text && size > MostText)
            throw new InvalidDataException(
                $"{path}: byte {start}: the tar header says that a name or its attributes have {size} bytes; "
                + $"at most {MostText} are read.");
    }

    private static long Sum(ReadOnlySpan<byte> block)
    {
        long sum = 0;
        for (var i = 0; i < Block; i++) sum += i is >= ChecksumField and < ChecksumField + 8 ? (byte)' ' : block[i];
        return sum;
    }

    /// <summary>Octal digits, or a big-endian number when the first bit is set; -1 for neither.</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            if (field[0] == 0xFF || field.Length < 12) return -1;
            return BinaryPrimitives.ReadUInt32BigEndian(field) == 0x8000_0000
                ? BinaryPrimitives.ReadInt64BigEndian(field[4..])
                : long.MaxValue;
        }
        long value = 0;
        var digits = field.Trim("\0 "u8);
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7') return -1;
            value = (value << 3) | (uint)(digit - '0');
        }
        return value;
    }
}
