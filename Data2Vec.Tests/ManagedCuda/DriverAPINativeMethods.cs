using System.Runtime.CompilerServices;
using System.Text;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>
/// The calls of ManagedCuda that ManagedCudaDriver makes, as the package declares them, answered by the emulator:
/// device 0.
/// </summary>
internal static unsafe class DriverAPINativeMethods
{
    /// <summary>The device of the test that runs.</summary>
    [ThreadStatic]
    internal static EmulatedDriver? Emulator;

    /// <summary>Names of the calls that were made.</summary>
    [ThreadStatic]
    internal static HashSet<string>? Calls;

    private static EmulatedDriver Driver => Emulator!;

    private static CUResult Do(Action call, CUResult otherwise, [CallerMemberName] string name = "")
    {
        Calls?.Add(name);
        try
        {
            call();
            return CUResult.Success;
        }
        catch (Data2Vec.Kernels.Cuda.CudaException)
        {
            return otherwise;
        }
    }

    private static CUResult Give<T>(ref T result, Func<T> call, CUResult otherwise = CUResult.ErrorInvalidValue,
        [CallerMemberName] string name = "")
    {
        var given = result;
        var status = Do(() => given = call(), otherwise, name);
        result = given;
        return status;
    }

    public static class DeviceManagement
    {
        public static CUResult cuDeviceGetName(byte[] name, int len, CUdevice dev) => Do(
            () => Encoding.UTF8.GetBytes(Driver.Device.Name).CopyTo(name.AsSpan(0, len)), CUResult.ErrorInvalidValue);

        public static CUResult cuDeviceTotalMem_v2(ref SizeT bytes, CUdevice dev) =>
            Give(ref bytes, () => Driver.Device.MemoryBytes);

        public static CUResult cuDeviceGetAttribute(ref int pi, CUDeviceAttribute attrib, CUdevice dev) =>
            Give(ref pi, () => attrib switch
            {
                CUDeviceAttribute.MultiProcessorCount => Driver.Device.Multiprocessors,
                CUDeviceAttribute.ComputeCapabilityMajor => Driver.Device.Major,
                CUDeviceAttribute.ComputeCapabilityMinor => Driver.Device.Minor,
                _ => Driver.Device.MostSharedBytes,
            });
    }

    public static class ModuleManagement
    {
        public static CUResult cuModuleLoadDataEx(
            ref CUmodule module, byte[] image, uint numOptions, CUJITOption[] options, IntPtr[] optionValues)
        {
            try
            {
                return Give(ref module, () => new CUmodule { Pointer = Load(image) });
            }
            catch (PtxRefusedException e)
            {
                var size = (int)optionValues[Array.IndexOf(options, CUJITOption.ErrorLogBufferSizeBytes)];
                var log = Encoding.UTF8.GetBytes(e.Message + '\0').AsSpan();
                var buffer = optionValues[Array.IndexOf(options, CUJITOption.ErrorLogBuffer)];
                var room = new Span<byte>((void*)buffer, size);
                log[..Math.Min(log.Length, size)].CopyTo(room);
                return CUResult.ErrorInvalidPtx;
            }
        }

        public static CUResult cuModuleGetFunction(ref CUfunction hfunc, CUmodule hmod, string name) => Give(
            ref hfunc, () => new CUfunction { Pointer = Driver.GetFunction(hmod.Pointer, name) },
            CUResult.ErrorNotFound);

        private static nint Load(byte[] image)
        {
            if (image[^1] != 0) throw new PtxRefusedException("the text has no end");
            try
            {
                return Driver.LoadModule(Encoding.UTF8.GetString(image, 0, image.Length - 1), "module");
            }
            catch (Data2Vec.Kernels.Cuda.CudaException e)
            {
                throw new PtxRefusedException(e.Message);
            }
        }

        private sealed class PtxRefusedException(string message) : Exception(message);
    }

    public static class FunctionManagement
    {
        public static CUResult cuFuncSetAttribute(CUfunction hfunc, CUFunctionAttribute attrib, int value) =>
            Do(() => Driver.SetDynamicShared(hfunc.Pointer, value), CUResult.ErrorInvalidValue);
    }

    public static class Launch
    {
        public static CUResult cuLaunchKernel(CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX,
            uint blockDimY, uint blockDimZ, uint sharedMemBytes, CUstream hStream, IntPtr[] kernelParams,
            IntPtr[]? extra) => Do(
            () => Driver.Launch(f.Pointer, new Dim3((int)gridDimX, (int)gridDimY, (int)gridDimZ),
                new Dim3((int)blockDimX, (int)blockDimY, (int)blockDimZ), (int)sharedMemBytes, kernelParams),
            CUResult.ErrorLaunchFailed);
    }

    public static class MemoryManagement
    {
        public static CUResult cuMemAlloc_v2(ref CUdeviceptr dptr, SizeT bytesize)
        {
            var status = Give(ref dptr, () => new CUdeviceptr(Driver.Allocate(bytesize)));
            return status == CUResult.Success && dptr == 0 ? CUResult.ErrorOutOfMemory : status;
        }

        public static CUResult cuMemFree_v2(CUdeviceptr dptr) =>
            Do(() => Driver.Free(dptr), CUResult.ErrorInvalidValue);

        public static CUResult cuMemHostAlloc(ref IntPtr pp, SizeT bytesize, CUMemHostAllocFlags Flags) =>
            Give(ref pp, () => Driver.AllocateHost(bytesize));

        public static CUResult cuMemFreeHost(IntPtr p) => Do(() => Driver.FreeHost(p), CUResult.ErrorInvalidValue);
    }

    public static class AsynchronousMemcpy_v2
    {
        public static CUResult cuMemcpyHtoDAsync_v2(
            CUdeviceptr dstDevice, IntPtr srcHost, SizeT ByteCount, CUstream hStream) =>
            Do(() => Driver.CopyToDevice(dstDevice, srcHost, ByteCount), CUResult.ErrorInvalidValue);

        public static CUResult cuMemcpyDtoHAsync_v2(
            IntPtr dstHost, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream) =>
            Do(() => Driver.CopyToHost(dstHost, srcDevice, ByteCount), CUResult.ErrorInvalidValue);

        public static CUResult cuMemcpyDtoDAsync_v2(
            CUdeviceptr dstDevice, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream) =>
            Do(() => Driver.CopyOnDevice(dstDevice, srcDevice, ByteCount), CUResult.ErrorInvalidValue);
    }

    public static class MemsetAsync
    {
        public static CUResult cuMemsetD8Async(CUdeviceptr dstDevice, byte b, SizeT N, CUstream hStream) =>
            Do(() => Driver.Fill(dstDevice, b, N), CUResult.ErrorInvalidValue);
    }

    public static class Events
    {
        public static CUResult cuEventCreate(ref CUevent phEvent, CUEventFlags Flags) =>
            Give(ref phEvent, () => new CUevent { Pointer = Driver.CreateEvent() });

        public static CUResult cuEventRecord(CUevent hEvent, CUstream hStream) =>
            Do(() => Driver.RecordEvent(hEvent.Pointer), CUResult.ErrorInvalidValue);

        public static CUResult cuEventSynchronize(CUevent hEvent) =>
            Do(() => Driver.WaitFor(hEvent.Pointer), CUResult.ErrorInvalidValue);

        public static CUResult cuEventDestroy_v2(CUevent hEvent) =>
            Do(() => Driver.DestroyEvent(hEvent.Pointer), CUResult.ErrorInvalidValue);

        public static CUResult cuEventElapsedTime(ref float pMilliseconds, CUevent hStart, CUevent hEnd) =>
            Give(ref pMilliseconds, () => (float)Driver.Milliseconds(hStart.Pointer, hEnd.Pointer));
    }

    public static class Streams
    {
        public static CUResult cuStreamCreate(ref CUstream phStream, CUStreamFlags Flags) =>
            Give(ref phStream, () => new CUstream { Pointer = 1 });

        public static CUResult cuStreamSynchronize(CUstream hStream) =>
            Do(Driver.Synchronize, CUResult.ErrorLaunchFailed);

        public static CUResult cuStreamDestroy_v2(CUstream hStream) => Do(() => { }, CUResult.ErrorInvalidValue);

        public static CUResult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode) =>
            Do(Driver.BeginCapture, CUResult.ErrorInvalidValue);

        public static CUResult cuStreamEndCapture(CUstream hStream, ref CUgraph phGraph) =>
            Give(ref phGraph, () => new CUgraph { Pointer = Driver.EndCapture() });
    }

    public static class GraphManagment
    {
        public static CUResult cuGraphInstantiate(
            ref CUgraphExec phGraphExec, CUgraph hGraph, CUgraphInstantiate_flags flags) =>
            Give(ref phGraphExec, () => new CUgraphExec { Pointer = hGraph.Pointer });

        public static CUResult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream) =>
            Do(() => Driver.LaunchGraph(hGraphExec.Pointer), CUResult.ErrorLaunchFailed);

        public static CUResult cuGraphExecDestroy(CUgraphExec hGraphExec) =>
            Do(() => Driver.DestroyGraph(hGraphExec.Pointer), CUResult.ErrorInvalidValue);

        public static CUResult cuGraphDestroy(CUgraph hGraph) => Do(() => { }, CUResult.ErrorInvalidValue);
    }
}

/// <summary>The package's exception.</summary>
internal sealed class CudaException(CUResult error) : Exception($"{error}");

/// <summary>The primary context of a device.</summary>
internal sealed class PrimaryContext(int deviceId) : IDisposable
{
    public CUdevice Device { get; } =
        deviceId == 0 ? new() { Pointer = deviceId } : throw new CudaException(CUResult.ErrorInvalidDevice);

    public void SetCurrent()
    {
    }

    public void Dispose() => DriverAPINativeMethods.Emulator!.Dispose();
}
