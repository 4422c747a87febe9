using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// Reads safetensors: 8 bytes of header length, a JSON header, the data. Every promise of the format is checked when
/// the file is opened; data is read when asked for. Reading is safe from several threads.
/// Source: the format description in the README of the safetensors project.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int PrefixLength = 8;
    private const int ChunkElements = 1 << 24;

    private readonly string name;
    private readonly SafeFileHandle? handle;
    private readonly ReadOnlyMemory<byte> memory;
    private readonly Dictionary<string, SafetensorsEntry> byName;
    private readonly SafetensorsEntry[] entries;
    private readonly long dataStart;

    private SafetensorsFile(string name, SafeFileHandle? handle, ReadOnlyMemory<byte> memory, long length)
    {
        this.name = name;
        this.handle = handle;
        this.memory = memory;
        if (length == 0) throw Refuse("the file is empty; expected 8 bytes of header length, a header and data");
        if (length < PrefixLength)
            throw Refuse($"the file is truncated: expected 8 bytes of header length; got {length}");
        Span<byte> prefix = stackalloc byte[PrefixLength];
        ReadAt(0, prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaxLength)
            throw Refuse(
                $"the header must be at most {SafetensorsHeader.MaxLength} bytes long; it says {headerLength}");
        if ((long)headerLength > length - PrefixLength)
            throw Refuse($"the file is truncated: the header should be {headerLength} bytes long, but only " +
                $"{length - PrefixLength} bytes follow its length");
        var header = new byte[headerLength];
        ReadAt(PrefixLength, header);
        dataStart = PrefixLength + header.Length;
        (byName, entries, Metadata) = SafetensorsHeader.Parse(name, header, length - dataStart);
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => entries;

    /// <summary>The strings of the header's <c>__metadata__</c>; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensor with this name.</summary>
    /// <exception cref="SafetensorsException">There is none.</exception>
    public SafetensorsEntry this[string tensor] => byName.TryGetValue(tensor, out var entry)
        ? entry
        : throw Refuse($"there is no tensor {SafetensorsException.Quote(tensor)} among the {byName.Count} of the file");

    /// <summary>Opens a file, reads its header and checks it.</summary>
    /// <exception cref="SafetensorsException">The file breaks a promise of the format.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var handle = File.OpenHandle(path);
        try
        {
            return new SafetensorsFile(path, handle, default, RandomAccess.GetLength(handle));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The same over bytes in memory; <paramref name="name"/> stands for the path in messages.</summary>
    /// <exception cref="SafetensorsException">The bytes break a promise of the format.</exception>
    public static SafetensorsFile FromBytes(ReadOnlyMemory<byte> bytes, string name = "(memory)") =>
        new(name, null, bytes, bytes.Length);

    /// <summary>True where the file has a tensor with this name.</summary>
    public bool Contains(string tensor) => byName.ContainsKey(tensor);

    /// <summary>Copies bytes of a tensor, from <paramref name="start"/> on, until the span is full.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The tensor does not have these bytes.</exception>
    /// <exception cref="SafetensorsException">The file has become shorter since it was opened.</exception>
    public void CopyBytes(SafetensorsEntry entry, Span<byte> destination, long start = 0)
    {
        if (start < 0 || start > entry.ByteCount - destination.Length)
            throw new ArgumentOutOfRangeException(nameof(start), start,
                $"Tensor {SafetensorsException.Quote(entry.Name)} has {entry.ByteCount} bytes; " +
                $"{destination.Length} were asked from byte {start}.");
        ReadAt(dataStart + entry.Begin + start, destination);
    }

    /// <summary>The elements of a tensor, row-major, whose type is stored as <typeparamref name="T"/>.</summary>
    /// <exception cref="SafetensorsException">
    /// No such tensor, it has another type, or a BOOL is neither 0 nor 1.
    /// </exception>
    public T[] Read<T>(string tensor)
        where T : unmanaged
    {
        var entry = this[tensor];
        var type = SafetensorsTypes.Of<T>();
        if (entry.Type != type)
            throw Refuse($"tensor {SafetensorsException.Quote(tensor)} is {entry.Type.Name()}; expected {type.Name()}");
        var values = new T[CheckedCount(entry)];
        for (var i = 0; i < values.Length; i += ChunkElements)
        {
            var chunk = values.AsSpan(i, Math.Min(ChunkElements, values.Length - i));
            var bytes = MemoryMarshal.AsBytes(chunk);
            CopyBytes(entry, bytes, (long)i * entry.Type.Size());
            // A bool of another byte is neither true nor false to the runtime.
            if (type == SafetensorsType.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                throw Refuse($"tensor {SafetensorsException.Quote(tensor)} is BOOL and must hold 0 and 1 only");
        }
        return values;
    }

    /// <summary>The elements of a floating-point tensor as float32: F16 and BF16 widened, F64 rounded.</summary>
    /// <exception cref="SafetensorsException">No such tensor, or it is not floating-point.</exception>
    public float[] ReadSingles(string tensor)
    {
        var entry = this[tensor];
        if (entry.Type == SafetensorsType.F32) return Read<float>(tensor);
        if (entry.Type is not (SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16))
            throw Refuse($"tensor {SafetensorsException.Quote(tensor)} is {entry.Type.Name()}; " +
                "expected floating point");
        return Convert<float>(entry, SafetensorsElements.ToSingle);
    }

    /// <summary>The elements of any tensor as doubles; 64-bit integers beyond 2^53 are rounded.</summary>
    /// <exception cref="SafetensorsException">No such tensor.</exception>
    public double[] ReadDoubles(string tensor) => Convert<double>(this[tensor], SafetensorsElements.ToDouble);

    /// <summary>The elements of an integer or boolean tensor as 64-bit integers.</summary>
    /// <exception cref="SafetensorsException">
    /// No such tensor, it is floating-point, or a U64 element is 2^63 or more.
    /// </exception>
    public long[] ReadIntegers(string tensor)
    {
        var entry = this[tensor];
        if (entry.Type is SafetensorsType.F64 or SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16)
            throw Refuse($"tensor {SafetensorsException.Quote(tensor)} is {entry.Type.Name()}; expected integers");
        try
        {
            return Convert<long>(entry, SafetensorsElements.ToInt64);
        }
        catch (OverflowException e)
        {
            throw new SafetensorsException($"{name}: tensor {SafetensorsException.Quote(tensor)} has an element " +
                "of 2^63 or more; expected less.", e);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle?.Dispose();

    private T[] Convert<T>(SafetensorsEntry entry, SafetensorsElements.Converter<T> convert)
    {
        var size = entry.Type.Size();
        var values = new T[CheckedCount(entry)];
        var chunk = new byte[Math.Min(entry.ByteCount, 1 << 16)];
        for (var i = 0; i < values.Length;)
        {
            var elements = Math.Min(chunk.Length / size, values.Length - i);
            CopyBytes(entry, chunk.AsSpan(0, elements * size), (long)i * size);
            convert(entry.Type, chunk.AsSpan(0, elements * size), values.AsSpan(i, elements));
            i += elements;
        }
        return values;
    }

    private int CheckedCount(SafetensorsEntry entry) => entry.ElementCount <= Array.MaxLength
        ? (int)entry.ElementCount
        : throw Refuse($"tensor {SafetensorsException.Quote(entry.Name)} has {entry.ElementCount} elements; an array " +
            $"holds at most {Array.MaxLength}, so it must be copied in parts");

    private void ReadAt(long position, Span<byte> destination)
    {
        if (handle is null)
        {
            memory.Span.Slice((int)position, destination.Length).CopyTo(destination);
            return;
        }
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(handle, destination, position);
            if (read == 0) throw Refuse("the file has become shorter since it was opened");
            destination = destination[read..];
            position += read;
        }
    }

    private SafetensorsException Refuse(string what) => new($"{name}: {what}.");
}
