using System.Text;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using Native = ManagedCuda.DriverAPINativeMethods;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// The driver through the package ManagedCuda-12 instead of our own declarations: the same calls as <see
/// cref="NativeDriver"/> makes. Part of builds with -p:ManagedCuda=true only, since the package is under GPL 3 or a
/// commercial licence. Compiled and run by the tests against a stand-in of the calls below; never run against the
/// package itself. Source: the signatures of ManagedCuda 12.8, github.com/kunzmi/managedCuda, commit 1886172.
/// </summary>
internal sealed unsafe class ManagedCudaDriver : ICudaDriver
{
    private const int LogBytes = 8192;

    private readonly PrimaryContext context;
    private readonly CUstream stream;
    private IntPtr[] addresses = new IntPtr[1];

    private ManagedCudaDriver(int number)
    {
        context = new PrimaryContext(number);
        context.SetCurrent();
        Try(Native.Streams.cuStreamCreate(ref stream, CUStreamFlags.NonBlocking),
            "cuStreamCreate", "making the stream");
        var name = new byte[256];
        Try(Native.DeviceManagement.cuDeviceGetName(name, name.Length, context.Device),
            "cuDeviceGetName", "asking for its name");
        var bytes = new SizeT(0L);
        Try(Native.DeviceManagement.cuDeviceTotalMem_v2(ref bytes, context.Device),
            "cuDeviceTotalMem", "asking for its memory");
        Device = new CudaDeviceInfo(
            $"{Encoding.UTF8.GetString(name).TrimEnd('\0')} through ManagedCuda",
            Attribute(CUDeviceAttribute.ComputeCapabilityMajor), Attribute(CUDeviceAttribute.ComputeCapabilityMinor),
            Attribute(CUDeviceAttribute.MultiProcessorCount), (long)bytes,
            Attribute(CUDeviceAttribute.MaxSharedMemoryPerBlockOptin),
            Math.Max(1, Attribute(CUDeviceAttribute.L2CacheSize)));
    }

    public CudaDeviceInfo Device { get; }

    public nint Stream => stream.Pointer;

    /// <summary>A device by its number.</summary>
    /// <exception cref="NotSupportedException">
    /// There is no driver or no such device; the sentence says what was tried.
    /// </exception>
    public static ManagedCudaDriver Open(int number)
    {
        try
        {
            return new ManagedCudaDriver(number);
        }
        catch (Exception e) when (e is CudaException or global::ManagedCuda.CudaException or DllNotFoundException)
        {
            throw new NotSupportedException(
                $"The device 'cuda:{number}' cannot be used through ManagedCuda: {e.Message}", e);
        }
    }

    public nint LoadModule(string ptx, string name)
    {
        var module = default(CUmodule);
        var (info, error) = (new byte[LogBytes], new byte[LogBytes]);
        fixed (byte* i = info, e = error)
        {
            CUJITOption[] options =
            [
                CUJITOption.InfoLogBuffer, CUJITOption.InfoLogBufferSizeBytes,
                CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes,
            ];
            var status = Native.ModuleManagement.cuModuleLoadDataEx(ref module, Encoding.UTF8.GetBytes(ptx + '\0'),
                (uint)options.Length, options, [(nint)i, LogBytes, (nint)e, LogBytes]);
            if (status == CUResult.Success) return module.Pointer;
            var log = Encoding.UTF8.GetString(error).TrimEnd('\0').Trim();
            throw Failure(status, "cuModuleLoadDataEx", $"loading {name}: {log}");
        }
    }

    public nint GetFunction(nint module, string entry)
    {
        var function = default(CUfunction);
        Try(Native.ModuleManagement.cuModuleGetFunction(ref function, new CUmodule { Pointer = module }, entry),
            "cuModuleGetFunction", $"looking for {entry}");
        return function.Pointer;
    }

    public void SetDynamicShared(nint function, int bytes) => Try(
        Native.FunctionManagement.cuFuncSetAttribute(
            new CUfunction { Pointer = function }, CUFunctionAttribute.MaxDynamicSharedSizeBytes, bytes),
        "cuFuncSetAttribute", "asking for dynamic shared memory");

    public void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<nint> parameters)
    {
        // The package takes an array; all our kernels have as many parameters, one.
        if (addresses.Length != parameters.Length) addresses = new IntPtr[parameters.Length];
        parameters.CopyTo(addresses);
        var status = Native.Launch.cuLaunchKernel(new CUfunction { Pointer = function },
            (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z, (uint)sharedBytes, stream, addresses, null);
        if (status == CUResult.Success) return;
        throw Failure(status, "cuLaunchKernel", $"launching {grid} blocks of {block} threads");
    }

    public ulong Allocate(long bytes)
    {
        var pointer = default(CUdeviceptr);
        var status = Native.MemoryManagement.cuMemAlloc_v2(ref pointer, new SizeT(bytes));
        if (status == CUResult.ErrorOutOfMemory) return 0;
        Try(status, "cuMemAlloc", "allocating device memory");
        return pointer;
    }

    public void Free(ulong pointer) =>
        Try(Native.MemoryManagement.cuMemFree_v2(At(pointer)), "cuMemFree", "giving device memory back");

    public nint AllocateHost(long bytes)
    {
        var pointer = IntPtr.Zero;
        Try(Native.MemoryManagement.cuMemHostAlloc(ref pointer, new SizeT(bytes), CUMemHostAllocFlags.None),
            "cuMemHostAlloc", "allocating pinned memory");
        return pointer;
    }

    public void FreeHost(nint pointer) =>
        Try(Native.MemoryManagement.cuMemFreeHost(pointer), "cuMemFreeHost", "giving pinned memory back");

    public void CopyToDevice(ulong target, nint source, long bytes) => Try(
        Native.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(At(target), source, new SizeT(bytes), stream),
        "cuMemcpyHtoDAsync", "copying to the device");

    public void CopyToHost(nint target, ulong source, long bytes) => Try(
        Native.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(target, At(source), new SizeT(bytes), stream),
        "cuMemcpyDtoHAsync", "copying to the host");

    public void CopyOnDevice(ulong target, ulong source, long bytes) => Try(
        Native.AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(At(target), At(source), new SizeT(bytes), stream),
        "cuMemcpyDtoDAsync", "copying on the device");

    public void Fill(ulong target, byte value, long bytes) => Try(
        Native.MemsetAsync.cuMemsetD8Async(At(target), value, new SizeT(bytes), stream),
        "cuMemsetD8Async", "filling memory");

    public void Synchronize() =>
        Try(Native.Streams.cuStreamSynchronize(stream), "cuStreamSynchronize", "waiting for the device");

    public nint CreateEvent()
    {
        var mark = default(CUevent);
        Try(Native.Events.cuEventCreate(ref mark, CUEventFlags.Default), "cuEventCreate", "making an event");
        return mark.Pointer;
    }

    public void RecordEvent(nint mark) =>
        Try(Native.Events.cuEventRecord(Event(mark), stream), "cuEventRecord", "recording an event");

    public void WaitFor(nint mark) =>
        Try(Native.Events.cuEventSynchronize(Event(mark)), "cuEventSynchronize", "waiting for an event");

    public double Milliseconds(nint from, nint to)
    {
        var milliseconds = 0f;
        Try(Native.Events.cuEventElapsedTime(ref milliseconds, Event(from), Event(to)),
            "cuEventElapsedTime", "reading the time between events");
        return milliseconds;
    }

    public void DestroyEvent(nint mark) =>
        Try(Native.Events.cuEventDestroy_v2(Event(mark)), "cuEventDestroy", "giving an event back");

    public void BeginCapture() => Try(
        Native.Streams.cuStreamBeginCapture(stream, CUstreamCaptureMode.Relaxed),
        "cuStreamBeginCapture", "beginning a capture");

    public nint EndCapture()
    {
        var (graph, executable) = (default(CUgraph), default(CUgraphExec));
        Try(Native.Streams.cuStreamEndCapture(stream, ref graph), "cuStreamEndCapture", "ending a capture");
        try
        {
            Try(Native.GraphManagment.cuGraphInstantiate(ref executable, graph, CUgraphInstantiate_flags.None),
                "cuGraphInstantiateWithFlags", "making a graph");
            return executable.Pointer;
        }
        finally
        {
            Native.GraphManagment.cuGraphDestroy(graph);
        }
    }

    public void LaunchGraph(nint graph) => Try(
        Native.GraphManagment.cuGraphLaunch(new CUgraphExec { Pointer = graph }, stream),
        "cuGraphLaunch", "launching a graph");

    public void DestroyGraph(nint graph) => Try(
        Native.GraphManagment.cuGraphExecDestroy(new CUgraphExec { Pointer = graph }),
        "cuGraphExecDestroy", "giving a graph back");

    public void Dispose()
    {
        Native.Streams.cuStreamDestroy_v2(stream);
        context.Dispose();
    }

    private static CUdeviceptr At(ulong pointer) => new(new SizeT(pointer));

    private static CUevent Event(nint mark) => new() { Pointer = mark };

    private int Attribute(CUDeviceAttribute attribute)
    {
        var value = 0;
        Try(Native.DeviceManagement.cuDeviceGetAttribute(ref value, attribute, context.Device),
            "cuDeviceGetAttribute", "asking what the device can do");
        return value;
    }

    private static void Try(CUResult status, string call, string doing)
    {
        if (status != CUResult.Success) throw Failure(status, call, doing);
    }

    private static CudaException Failure(CUResult status, string call, string doing) =>
        new($"{call} failed with {status} while {doing}.");
}
