using System.Security.Cryptography;

namespace Data2Vec.Engine.Serialization;

/// <summary>Passes bytes on to another stream, which it does not own, counts and hashes them.</summary>
internal sealed class CountingStream(Stream inner, IncrementalHash? hash = null) : Stream
{
    public long Count { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Count;

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException("A counting stream only moves forward.");
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        hash?.AppendData(buffer);
        Count += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A counting stream is only written.");

    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("A counting stream only moves forward.");

    public override void SetLength(long value) =>
        throw new NotSupportedException("A counting stream only moves forward.");
}
