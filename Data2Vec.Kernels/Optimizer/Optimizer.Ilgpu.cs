using System.Runtime.CompilerServices;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void GradientNorm(in GradientNormArgs a)
    {
        RefuseUnlessFloat32("GradientNorm", a.Gradients);
        var chunks = Chunks(a.Gradients, GradientNormKernels.Chunk);
        var partial = pool.Allocate(chunks * sizeof(double));
        var args = new GradientNormKernelArgs
        {
            Gradients = View<Full>(a.Gradients), Segments = View<Segment>(a.Segments), Step = View<StepValues>(a.Step),
            Partial = View<double>(new BufferView(partial, 0, DType.Float64)), SegmentCount = a.SegmentCount, Chunks = chunks,
            InFours = InFours(4, a.Gradients) ? 1 : 0,
        };
        Launch(GradientNormKernels.Squares, new Index3D(chunks, 1, 1), RowReduction.GroupSize, args);
        Launch(GradientNormKernels.Finish, new Index3D(1, 1, 1), GroupSize(chunks), args);
        pool.Free(partial);
    }

    /// <inheritdoc/>
    public void Adam(in AdamArgs a)
    {
        var args = default(FlatUpdateArgs);
        var rates = PrepareAdam(a, ref args);
        LaunchUpdate(args, a.Parameters);
        pool.Free(rates);
    }

    /// <inheritdoc/>
    public void Ema(in EmaArgs a)
    {
        RefuseUnlessFloat32("Ema", a.Student);
        LaunchUpdate(new FlatUpdateArgs
        {
            P = View<Full>(a.Student), Teacher = View<Full>(a.Teacher), Segments = View<Segment>(a.Segments),
            Step = View<StepValues>(a.Step), SegmentCount = a.SegmentCount, Averages = 1,
            RoundedTeacher = View<Brain>(a.Rounded), RoundsTeacher = a.Rounded.IsNone ? 0 : 1,
            InFours = InFours(4, a.Student, a.Teacher, a.Rounded) ? 1 : 0,
        }, a.Student);
    }

    /// <inheritdoc/>
    public void AdamWithEma(in AdamWithEmaArgs a)
    {
        var args = new FlatUpdateArgs
        {
            Teacher = View<Full>(a.Ema.Teacher), Averages = 1, RoundedTeacher = View<Brain>(a.Ema.Rounded),
            RoundsTeacher = a.Ema.Rounded.IsNone ? 0 : 1,
        };
        var rates = PrepareAdam(a.Adam, ref args);
        if (!InFours(4, a.Ema.Teacher, a.Ema.Rounded)) args.InFours = 0;
        LaunchUpdate(args, a.Adam.Parameters);
        pool.Free(rates);
    }

    /// <summary>Queues what turns the table into rates, and advances its counts; fills in the arguments of the update.</summary>
    private IlgpuBuffer PrepareAdam(in AdamArgs a, ref FlatUpdateArgs args)
    {
        RefuseUnlessFloat32("Adam", a.Parameters);
        var buffer = pool.Allocate((long)a.SegmentCount * Unsafe.SizeOf<AdamRates>());
        var rates = View<AdamRates>(new BufferView(buffer, 0, DType.UInt8));
        args = args with
        {
            P = View<Full>(a.Parameters), G = View<Full>(a.Gradients), M = View<Full>(a.Moment1), V = View<Full>(a.Moment2),
            Segments = View<Segment>(a.Segments), Step = View<StepValues>(a.Step), Rates = rates, SegmentCount = a.SegmentCount,
            Updates = 1, Beta1 = (float)a.Beta1, Beta2 = (float)a.Beta2, Rest1 = (float)(1 - a.Beta1),
            Rest2 = (float)(1 - a.Beta2), Epsilon = (float)a.Epsilon, Rounded = View<Brain>(a.Rounded),
            Rounds = a.Rounded.IsNone ? 0 : 1,
            InFours = InFours(4, a.Parameters, a.Gradients, a.Moment1, a.Moment2, a.Rounded) ? 1 : 0,
        };
        LaunchElements(AdamKernels.Prepare, a.SegmentCount, new AdamRateArgs
        {
            Segments = args.Segments, Step = args.Step, Rates = rates, SegmentCount = a.SegmentCount, Beta1 = a.Beta1,
            Beta2 = a.Beta2, Variant = a.Variant,
        });
        return buffer;
    }

    private void LaunchUpdate(in FlatUpdateArgs args, BufferView parameters) => Launch(
        AdamKernels.Update, new Index3D(Chunks(parameters, AdamKernels.Chunk), 1, 1), RowReduction.GroupSize, args);

    /// <summary>
    /// Chunks up to the end of the buffer. The table says where the parameters end, and lies on the device; groups behind that
    /// find nothing to do.
    /// </summary>
    private static int Chunks(BufferView flat, int chunk) => (int)((flat.Available + chunk - 1) / chunk);

    private static void RefuseUnlessFloat32(string op, BufferView view)
    {
        if (view.DType == DType.Float32) return;
        throw new NotSupportedException(
            $"{op}: parameters, gradients and their state are float32 on the ilgpu backend; got {view.DType.Name()}.");
    }
}
