using System.Buffers.Binary;
using System.Numerics;

namespace Data2Vec.Models.Data;

/// <summary>Reads bits from the highest of each byte on; never beyond the end.</summary>
internal ref struct FlacBits(ReadOnlySpan<byte> bytes, string name, int start)
{
    // A peek at any bit position has at least this many bits.
    private const int Peeked = 57;

    private readonly ReadOnlySpan<byte> bytes = bytes;
    private long position = 8L * start;

    /// <summary>The byte that the next bit lies in.</summary>
    public readonly int Byte => (int)(position >> 3);

    /// <summary>An unsigned number of 0 to 32 bits.</summary>
    public uint Read(int count)
    {
        if (count == 0) return 0;
        var value = (uint)(Peek() >> (64 - count));
        Advance(count);
        return value;
    }

    /// <summary>A two's complement number of 1 to 33 bits.</summary>
    public long ReadSigned(int count)
    {
        var value = (long)Peek() >> (64 - count);
        Advance(count);
        return value;
    }

    /// <summary>The zeros before a one, which is taken too.</summary>
    public long ReadUnary()
    {
        var zeros = 0L;
        while (true)
        {
            var here = BitOperations.LeadingZeroCount(Peek());
            if (here < Peeked)
            {
                Advance(here + 1);
                return zeros + here;
            }
            Advance(Peeked);
            zeros += Peeked;
        }
    }

    /// <summary>
    /// A Rice code: the quotient by 2^parameter in unary, the remainder in binary; even numbers stand for 0, 1, 2, ...
    /// and odd ones for -1, -2, ...
    /// </summary>
    public long ReadRice(int parameter)
    {
        var bits = Peek();
        var zeros = BitOperations.LeadingZeroCount(bits);
        ulong folded;
        if (zeros + 1 + parameter <= Peeked)
        {
            var remainder = parameter == 0 ? 0 : bits << (zeros + 1) >> (64 - parameter);
            folded = ((ulong)zeros << parameter) | remainder;
            Advance(zeros + 1 + parameter);
        }
        else
        {
            var quotient = ReadUnary();
            if (quotient > uint.MaxValue >> parameter)
                throw AudioError.At(name, Byte, "a residual has more than 32 bits");
            folded = ((ulong)quotient << parameter) | Read(parameter);
        }
        if (folded > uint.MaxValue) throw AudioError.At(name, Byte, "a residual has more than 32 bits");
        return (long)(folded >> 1) ^ -(long)(folded & 1);
    }

    /// <summary>Goes on to the next whole byte; the bits passed over must be zero.</summary>
    public void Align()
    {
        var spare = (int)(-position & 7);
        var at = Byte;
        if (Read(spare) != 0) throw AudioError.At(name, at, "the bits that fill up the frame's last byte are not zero");
    }

    private void Advance(int count)
    {
        position += count;
        if (position > 8L * bytes.Length) throw AudioError.At(name, bytes.Length, "the file ends within a frame");
    }

    /// <summary>The next bits, the first one highest; zeros beyond the end.</summary>
    private readonly ulong Peek()
    {
        var at = Byte;
        ulong word = 0;
        if (at + 8 <= bytes.Length) word = BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]);
        else
            for (var i = 0; i < 8 && at + i < bytes.Length; i++) word |= (ulong)bytes[at + i] << (56 - 8 * i);
        return word << (int)(position & 7);
    }
}
