using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// cuBLASLt as its documentation describes it, written without regard to our caller: column-major loops over the memory
/// of a device, behind the library's own entry points. Sizes of attributes are checked as the library does.
/// </summary>
internal static unsafe class CublasLtImitation
{
    private const int InvalidValue = 7, InternalError = 14;

    [ThreadStatic]
    private static Dictionary<nint, Dictionary<int, long>>? objects;

    [ThreadStatic]
    private static nint last;

    /// <summary>The device whose memory is read and written.</summary>
    [ThreadStatic]
    internal static ICudaDriver? Driver;

    /// <summary>The status that the search for an algorithm gives.</summary>
    [ThreadStatic]
    internal static int Answer;

    /// <summary>Searches so far.</summary>
    [ThreadStatic]
    internal static int Searches;

    /// <summary>Descriptions, layouts, preferences and handles that nobody has destroyed.</summary>
    public static int Living => objects?.Count ?? 0;

    public static CublasLtApi Api => new(name => name switch
    {
        "cublasLtCreate" or "cublasLtMatmulPreferenceCreate" => (nint)(delegate* unmanaged<nint*, int>)&Create,
        "cublasLtDestroy" or "cublasLtMatmulDescDestroy" or "cublasLtMatrixLayoutDestroy"
            or "cublasLtMatmulPreferenceDestroy" => (nint)(delegate* unmanaged<nint, int>)&Destroy,
        "cublasLtGetVersion" => (nint)(delegate* unmanaged<nuint>)&Version,
        "cublasLtGetStatusName" => (nint)(delegate* unmanaged<int, nint>)&StatusName,
        "cublasLtMatmulDescCreate" => (nint)(delegate* unmanaged<nint*, int, int, int>)&DescCreate,
        "cublasLtMatmulDescSetAttribute" => (nint)(delegate* unmanaged<nint, int, void*, nuint, int>)&DescSet,
        "cublasLtMatrixLayoutCreate" =>
            (nint)(delegate* unmanaged<nint*, int, ulong, ulong, long, int>)&LayoutCreate,
        "cublasLtMatrixLayoutSetAttribute" => (nint)(delegate* unmanaged<nint, int, void*, nuint, int>)&LayoutSet,
        "cublasLtMatmulPreferenceSetAttribute" =>
            (nint)(delegate* unmanaged<nint, int, void*, nuint, int>)&PreferenceSet,
        "cublasLtMatmulAlgoGetHeuristic" => (nint)(delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int,
            byte*, int*, int>)&Heuristic,
        "cublasLtMatmul" => (nint)(delegate* unmanaged<nint, nint, float*, ulong, nint, ulong, nint, float*, ulong,
            nint, ulong, nint, byte*, ulong, nuint, nint, int>)&Matmul,
        _ => throw new EntryPointNotFoundException(name),
    });

    [UnmanagedCallersOnly]
    private static int Create(nint* made) => New(made, []);

    [UnmanagedCallersOnly]
    private static int Destroy(nint which) => objects!.Remove(which) ? 0 : InvalidValue;

    [UnmanagedCallersOnly]
    private static nuint Version() => 120405;

    [UnmanagedCallersOnly]
    private static nint StatusName(int status) => status == InternalError
        ? (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference("CUBLAS_STATUS_INTERNAL_ERROR\0"u8)) : 0;

    /// <summary>Attribute 0 is the type of sums, 1 that of factors.</summary>
    [UnmanagedCallersOnly]
    private static int DescCreate(nint* made, int compute, int scale) =>
        compute is 68 or 77 && scale == 0 ? New(made, new() { [0] = compute, [1] = scale, [7] = 1 }) : InvalidValue;

    [UnmanagedCallersOnly]
    private static int DescSet(nint which, int attribute, void* value, nuint bytes) =>
        Set(which, attribute, value, bytes, attribute switch { 3 or 4 or 7 => 4, 8 => 8, _ => 0 });

    /// <summary>Attributes 0, 2, 3 and 4 are type, rows, columns and leading dimension.</summary>
    [UnmanagedCallersOnly]
    private static int LayoutCreate(nint* made, int type, ulong rows, ulong columns, long leading) => type is 0 or 14
        ? New(made, new() { [0] = type, [2] = (long)rows, [3] = (long)columns, [4] = leading, [5] = 1, [6] = 0 })
        : InvalidValue;

    [UnmanagedCallersOnly]
    private static int LayoutSet(nint which, int attribute, void* value, nuint bytes) =>
        Set(which, attribute, value, bytes, attribute switch { 5 => 4, 6 => 8, _ => 0 });

    [UnmanagedCallersOnly]
    private static int PreferenceSet(nint which, int attribute, void* value, nuint bytes) =>
        Set(which, attribute, value, bytes, attribute switch { 1 => 8, 5 or 6 or 7 or 8 => 4, _ => 0 });

    [UnmanagedCallersOnly]
    private static int Heuristic(nint handle, nint description, nint a, nint b, nint c, nint d, nint preference,
        int asked, byte* results, int* found)
    {
        Searches++;
        *found = 0;
        if (Answer != 0) return Answer;
        if (asked != 1 || new[] { handle, description, a, b, c, d, preference }.Any(o => !objects!.ContainsKey(o)))
            return InvalidValue;
        // An algorithm of 64 bytes, bytes of workspace, status, waves, four numbers kept free.
        new Span<byte>(results, 96).Fill(0x5A);
        *(ulong*)(results + 64) = 1024;
        *(int*)(results + 72) = 0;
        *found = 1;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Matmul(nint handle, nint description, float* alpha, ulong a, nint aLayout, ulong b, nint bLayout,
        float* beta, ulong c, nint cLayout, ulong d, nint dLayout, byte* algorithm, ulong workspace,
        nuint workspaceBytes, nint stream)
    {
        try
        {
            if (algorithm[0] != 0x5A || algorithm[63] != 0x5A || workspaceBytes != 1024 || workspace == 0 || c != d)
                return InvalidValue;
            var (desc, result) = (objects![description], objects[dLayout]);
            var (first, second) = (objects[aLayout], objects[bLayout]);
            bool turnA = desc.GetValueOrDefault(3) == 1, turnB = desc.GetValueOrDefault(4) == 1;
            var (rows, inner, columns) = (result[2], turnA ? first[2] : first[3], result[3]);
            if ((turnA ? first[3] : first[2]) != rows || (turnB ? second[2] : second[3]) != columns
                || (turnB ? second[3] : second[2]) != inner) return InvalidValue;
            if (new[] { first, second, result }.Any(l => l[4] < l[2])) return InvalidValue;
            for (var n = 0L; n < result[5]; n++)
            {
                for (var column = 0L; column < columns; column++)
                {
                    for (var row = 0L; row < rows; row++)
                    {
                        var sum = 0.0;
                        for (var k = 0L; k < inner; k++)
                        {
                            sum += Get(a, first, n, turnA ? k : row, turnA ? row : k)
                                * Get(b, second, n, turnB ? column : k, turnB ? k : column);
                        }
                        sum *= *alpha;
                        if (*beta != 0) sum += *beta * Get(c, result, n, row, column);
                        if (desc[7] == 4) sum += Read((ulong)desc[8] + (ulong)(row * Size(result)), result[0]);
                        Write(d, result, n, row, column, (float)sum);
                    }
                }
            }
            return 0;
        }
        catch (Exception e) when (e is CudaException or KeyNotFoundException or InvalidOperationException)
        {
            return InternalError;
        }
    }

    private static int New(nint* made, Dictionary<int, long> attributes)
    {
        (objects ??= []).Add(*made = ++last, attributes);
        return 0;
    }

    private static int Set(nint which, int attribute, void* value, nuint bytes, int expected)
    {
        if (expected == 0 || bytes != (nuint)expected) return InvalidValue;
        if (!objects!.TryGetValue(which, out var attributes)) return InvalidValue;
        attributes[attribute] = expected == 4 ? *(int*)value : *(long*)value;
        return 0;
    }

    private static int Size(Dictionary<int, long> layout) => layout[0] == 14 ? 2 : 4;

    private static ulong At(ulong data, Dictionary<int, long> layout, long n, long row, long column) =>
        data + (ulong)((n * layout[6] + row + column * layout[4]) * Size(layout));

    private static double Get(ulong data, Dictionary<int, long> layout, long n, long row, long column) =>
        Read(At(data, layout, n, row, column), layout[0]);

    private static double Read(ulong address, long type)
    {
        var bits = 0;
        Driver!.CopyToHost((nint)(&bits), address, type == 14 ? 2 : 4);
        return BitConverter.Int32BitsToSingle(type == 14 ? bits << 16 : bits);
    }

    private static void Write(ulong data, Dictionary<int, long> layout, long n, long row, long column, float value)
    {
        var brain = (BFloat16)value;
        var address = At(data, layout, n, row, column);
        if (layout[0] == 14) Driver!.CopyToDevice(address, (nint)(&brain), 2);
        else Driver!.CopyToDevice(address, (nint)(&value), 4);
    }
}
