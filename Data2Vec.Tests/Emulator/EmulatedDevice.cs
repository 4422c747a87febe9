using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>An emulated device for a test: arrays in and out, and launches by values.</summary>
internal sealed unsafe class EmulatedDevice : IDisposable
{
    public EmulatedDriver Driver { get; } = new();

    /// <summary>Device memory with these values.</summary>
    public ulong Put<T>(params T[] values)
        where T : unmanaged
    {
        var pointer = Driver.Allocate(Math.Max(1, values.Length) * sizeof(T));
        fixed (T* p = values) Driver.CopyToDevice(pointer, (nint)p, values.Length * sizeof(T));
        return pointer;
    }

    /// <summary>Device memory that nobody has written.</summary>
    public ulong Empty<T>(int count)
        where T : unmanaged => Driver.Allocate(count * sizeof(T));

    public T[] Get<T>(ulong pointer, int count)
        where T : unmanaged
    {
        var values = new T[count];
        fixed (T* p = values) Driver.CopyToHost((nint)p, pointer, count * sizeof(T));
        return values;
    }

    /// <summary>Loads PTX and launches one of its kernels; each value is one parameter.</summary>
    public void Launch(string ptx, string entry, Dim3 grid, Dim3 block, int shared, params object[] values)
    {
        var function = Driver.GetFunction(Driver.LoadModule(ptx, "test"), entry);
        if (shared > 48 * 1024) Driver.SetDynamicShared(function, shared);
        var places = values.Select(v => GCHandle.Alloc(v, GCHandleType.Pinned)).ToArray();
        try
        {
            Driver.Launch(function, grid, block, shared, [.. places.Select(p => p.AddrOfPinnedObject())]);
        }
        finally
        {
            foreach (var place in places) place.Free();
        }
    }

    /// <summary>PTX of a source in kernels/; the test is ignored where NVRTC is not.</summary>
    public static string Compile(string source, params string[] defines)
    {
        using var nvrtc = Nvrtc.TryLoad(GpuToolchain.Libraries, out var reason);
        if (nvrtc is null) Assert.Ignore($"no NVRTC here (scripts/gpu-toolchain.sh fetches it): {reason}");
        return nvrtc!.Compile(source, "compute_80", defines);
    }

    /// <summary>
    /// A kernel around a body: parameters p0, p1, ... of 64 bits, registers %p, %h, %r, %d, %f, %g by kind.
    /// </summary>
    public static string Kernel(int parameters, string body, string declarations = "") => $$"""
        .version 8.4
        .target sm_80
        .address_size 64
        {{declarations}}
        .visible .entry test({{string.Join(", ", Enumerable.Range(0, parameters).Select(n => $".param .u64 p{n}"))}})
        {
            .reg .pred %p<16>;
            .reg .b16 %h<32>;
            .reg .b32 %r<64>;
            .reg .b64 %d<64>;
            .reg .f32 %f<64>;
            .reg .f64 %g<32>;
            {{body}}
            ret;
        }
        """;

    public void Dispose() => Driver.Dispose();
}
