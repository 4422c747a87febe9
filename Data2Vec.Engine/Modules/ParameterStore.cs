using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>What the teacher does with a parameter.</summary>
public enum TeacherRule
{
    /// <summary>The teacher uses the student's value: one memory for both.</summary>
    Shared,
    /// <summary>The teacher has its own value, the moving average of the student's.</summary>
    Averaged,
    /// <summary>The teacher has its own value, overwritten with the student's at every update.</summary>
    Copied,
}

/// <summary>What is declared about a parameter.</summary>
/// <param name="Name">Unique, dotted; the name in checkpoints.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Initializer">Its first values.</param>
/// <param name="Teacher">What the teacher does with it.</param>
/// <param name="WeightDecay">Decoupled weight decay; null = the optimiser's.</param>
/// <param name="LearningRateScale">Factor on the learning rate.</param>
public sealed record ParameterDeclaration(
    string Name, Shape Shape, Initializer Initializer, TeacherRule Teacher = TeacherRule.Shared,
    double? WeightDecay = null, double LearningRateScale = 1);

/// <summary>
/// All parameters of a model in flat buffers: values, gradients, both Adam moments and the teacher's own values, with a
/// table of segments. An update, a moving average, a norm or a checkpoint is one pass over them. Modules hold parameter
/// numbers; forward passes read tensors through a <see cref="ParameterView"/>. Passes in bfloat16 read copies of values
/// and teacher, which are made when they are first read and which updates then write along.
/// </summary>
public sealed class ParameterStore : IDisposable
{
    private static readonly int GradientFlagOffset = (int)Marshal.OffsetOf<Segment>(nameof(Segment.HasGradient));

    /// <summary>Every parameter starts at a multiple of this many elements, so that vector loads are aligned.</summary>
    private const int Alignment = 16;

    private readonly List<ParameterDeclaration> declarations = [];
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private Segment[] segments = [];
    private bool[] hasGradient = [];
    private bool[] uploaded = [];
    private readonly RoundedCopy roundedValues = new(), roundedTeacher = new();
    private TensorRef values, gradients, moment1, moment2, teacher, table;
    private long length;

    /// <summary>An empty store; declare parameters, then <see cref="Build"/>.</summary>
    /// <param name="device">Where the buffers live.</param>
    /// <param name="type">Type of values and state: float32, or float64 on Reference.</param>
    public ParameterStore(Device device, DType type = DType.Float32)
    {
        Device = device;
        DType = type;
    }

    /// <summary>The device of the buffers.</summary>
    public Device Device { get; }

    /// <summary>Type of values and state.</summary>
    public DType DType { get; }

    /// <summary>The declared parameters, in order of their numbers.</summary>
    public IReadOnlyList<ParameterDeclaration> Parameters => declarations;

    /// <summary>Scalars in all parameters.</summary>
    public long Count => declarations.Sum(d => d.Shape.Count);

    /// <summary>Declares a parameter and returns its number.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public int Add(ParameterDeclaration declaration)
    {
        if (!values.IsNone) throw new InvalidOperationException("Parameters cannot be declared after Build.");
        if (!numbers.TryAdd(declaration.Name, declarations.Count))
            throw new ArgumentException($"A parameter named {declaration.Name} is declared already.");
        declarations.Add(declaration);
        return declarations.Count - 1;
    }

    /// <summary>The number of a parameter.</summary>
    /// <exception cref="KeyNotFoundException">No parameter has this name.</exception>
    public int NumberOf(string name) => numbers.TryGetValue(name, out var n) ? n
        : throw new KeyNotFoundException($"The model has no parameter named {name}.");

    /// <summary>
    /// Multiplies the learning rate of every declared parameter, by its name; before <see cref="Build"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The store is built.</exception>
    public void ScaleLearningRates(Func<string, double> factor)
    {
        if (!values.IsNone) throw new InvalidOperationException("Learning rates cannot be scaled after Build.");
        for (var i = 0; i < declarations.Count; i++)
        {
            var d = declarations[i];
            declarations[i] = d with { LearningRateScale = d.LearningRateScale * factor(d.Name) };
        }
    }

    /// <summary>
    /// Allocates the values and gives every parameter its first ones; the teacher starts as a copy. Gradients and
    /// moments take memory when they are first used, so that a model that only runs forward has its values alone.
    /// </summary>
    /// <param name="seed">Seed of the initialisers.</param>
    /// <param name="weightDecay">Decay of parameters that declare none.</param>
    /// <param name="initialise">False leaves all values 0, for a model that is loaded next.</param>
    /// <param name="decayVectors">
    /// False: parameters of one dimension (biases, norms) that declare none have none.
    /// </param>
    public void Build(ulong seed, double weightDecay = 0, bool initialise = true, bool decayVectors = true)
    {
        if (!values.IsNone) throw new InvalidOperationException("ParameterStore.Build: this store is built already.");
        segments = new Segment[declarations.Count];
        hasGradient = new bool[declarations.Count];
        uploaded = new bool[declarations.Count];
        long student = 0, own = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            var d = declarations[i];
            segments[i] = new Segment
            {
                Offset = student,
                Length = d.Shape.Count,
                TeacherOffset = d.Teacher == TeacherRule.Shared ? -1 : own,
                TeacherCopies = d.Teacher == TeacherRule.Copied ? 1 : 0,
                LearningRateScale = d.LearningRateScale,
                WeightDecay = d.WeightDecay ?? (decayVectors || d.Shape.Rank > 1 ? weightDecay : 0),
            };
            var room = (d.Shape.Count + Alignment - 1) / Alignment * Alignment;
            student += room;
            if (d.Teacher != TeacherRule.Shared) own += room;
        }
        length = student;
        values = Zeroed(student, "parameters");
        teacher = Zeroed(own, "teacher");
        table = Device.AllocateLasting(new Shape(Math.Max(1, segments.Length * Unsafe.SizeOf<Segment>())), DType.UInt8);
        UploadTable();
        for (var i = 0; initialise && i < segments.Length; i++)
        {
            var d = declarations[i];
            var numbers = new double[d.Shape.Count];
            d.Initializer(new RandomKey(seed, 0, 0, 0x10000 + (uint)i), numbers, d.Shape);
            Write(ParameterPart.Student, i, numbers);
            if (d.Teacher != TeacherRule.Shared) Write(ParameterPart.Teacher, i, numbers);
        }
    }

    /// <summary>The student's parameters for a forward pass; gradients are recorded when a tape is given.</summary>
    /// <param name="tape">Records what is computed; null for none.</param>
    /// <param name="type">Type of the pass: bfloat16, or null for that of the store.</param>
    /// <exception cref="ArgumentException">The type is another one.</exception>
    public ParameterView Student(Tape? tape = null, DType? type = null) => new(this, tape, teacher: false, type ?? DType);

    /// <summary>The teacher's parameters: its own averages, the student's values elsewhere. Never tracked.</summary>
    /// <param name="type">Type of the pass: bfloat16, or null for that of the store.</param>
    /// <exception cref="ArgumentException">The type is another one.</exception>
    public ParameterView Teacher(DType? type = null) => new(this, null, teacher: true, type ?? DType);

    /// <summary>Forgets all gradients; the next contribution to each is stored, not added.</summary>
    public void ClearGradients() => Array.Clear(hasGradient);

    /// <summary>True when a gradient reached the parameter since <see cref="ClearGradients"/>.</summary>
    public bool HasGradient(int parameter) => hasGradient[parameter];

    /// <summary>Global norm, clip factor and finite check of the gradients, into the step values.</summary>
    public void ComputeGradientNorm(StepState step)
    {
        SyncTable();
        var args = new GradientNormArgs
        {
            Gradients = OnDemand(ref gradients, "parameter gradients").View, Segments = table.View, SegmentCount = segments.Length,
            Step = step.View,
        };
        args.Check();
        Device.Backend.GradientNorm(args);
    }

    /// <summary>
    /// One update of every parameter that has a gradient. Call <see cref="ComputeGradientNorm"/> before.
    /// </summary>
    public void Update(AdamOptions options, StepState step)
    {
        SyncTable();
        var args = UpdateArgs(options, step);
        args.Check();
        Device.Backend.Adam(args);
        roundedValues.Written(values.Storage!, "Adam");
    }

    /// <summary>Moves the teacher: averages and copies, with the decay of the step values.</summary>
    public void UpdateTeacher(StepState step)
    {
        var args = AverageArgs(step);
        args.Check();
        Device.Backend.Ema(args);
        roundedTeacher.Written(teacher.Storage!, "Ema");
    }

    /// <summary><see cref="Update"/> and then <see cref="UpdateTeacher"/>, to the same bits, in one pass over memory.</summary>
    public void UpdateWithTeacher(AdamOptions options, StepState step)
    {
        SyncTable();
        var args = new AdamWithEmaArgs { Adam = UpdateArgs(options, step), Ema = AverageArgs(step) };
        args.Check();
        Device.Backend.AdamWithEma(args);
        roundedValues.Written(values.Storage!, "Adam");
        roundedTeacher.Written(teacher.Storage!, "Ema");
    }

    /// <summary>Values of one parameter on the host, as doubles; waits for the device.</summary>
    public double[] Read(ParameterPart part, int parameter)
    {
        using var scope = Device.Scope();
        return new Tensor(PlaceOf(part, parameter).Retain(), "Parameter").ToDoubles();
    }

    /// <summary>Overwrites one parameter from the host, rounding to the type.</summary>
    public void Write(ParameterPart part, int parameter, ReadOnlySpan<double> numbers)
    {
        var place = PlaceOf(part, parameter);
        Refuse.Unless(numbers.Length == place.Shape.Count,
            $"{declarations[parameter].Name} has {place.Shape.Count} elements; got {numbers.Length}.");
        place.Storage!.Written("ParameterStore.Write");
        if (DType == DType.Float64)
        {
            Device.Backend.Upload(MemoryMarshal.AsBytes(numbers), place.View);
            return;
        }
        var singles = new float[numbers.Length];
        for (var i = 0; i < singles.Length; i++) singles[i] = (float)numbers[i];
        Device.Backend.Upload(MemoryMarshal.AsBytes<float>(singles), place.View);
    }

    /// <summary>Raw bytes of one parameter on the host, in the store's type.</summary>
    public byte[] ReadBytes(ParameterPart part, int parameter)
    {
        var place = PlaceOf(part, parameter);
        var bytes = new byte[place.Shape.Count * DType.Size()];
        Device.Backend.Download(place.View, bytes);
        return bytes;
    }

    /// <summary>Overwrites one parameter with raw bytes in the store's type.</summary>
    public void WriteBytes(ParameterPart part, int parameter, ReadOnlySpan<byte> bytes)
    {
        var place = PlaceOf(part, parameter);
        Refuse.Unless(bytes.Length == place.Shape.Count * DType.Size(),
            $"{declarations[parameter].Name} has {place.Shape.Count * DType.Size()} bytes; got {bytes.Length}.");
        place.Storage!.Written("ParameterStore.Write");
        Device.Backend.Upload(bytes, place.View);
    }

    /// <summary>True when the teacher has its own memory for the parameter.</summary>
    public bool HasTeacherValue(int parameter) => segments[parameter].TeacherOffset >= 0;

    /// <summary>Updates each parameter has seen; waits for the device.</summary>
    public int[] ReadStepCounts()
    {
        DownloadTable();
        return Array.ConvertAll(segments, s => s.StepCount);
    }

    /// <summary>Restores the updates each parameter has seen.</summary>
    /// <exception cref="ArgumentException">There is not one count for each parameter.</exception>
    public void WriteStepCounts(ReadOnlySpan<int> counts)
    {
        Refuse.Unless(counts.Length == segments.Length,
            $"ParameterStore: {segments.Length} parameters have as many step counts; got {counts.Length}.");
        for (var i = 0; i < segments.Length; i++) segments[i].StepCount = counts[i];
        UploadTable();
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        foreach (var part in new[] { values, gradients, moment1, moment2, teacher, table }) part.Release();
        values = gradients = moment1 = moment2 = teacher = table = default;
        roundedValues.Dispose();
        roundedTeacher.Dispose();
    }

    internal TensorRef PlaceOf(ParameterPart part, int parameter)
    {
        var s = segments[parameter];
        var (flat, offset) = part switch
        {
            ParameterPart.Student => (values, s.Offset),
            ParameterPart.Gradient => (OnDemand(ref gradients, "parameter gradients"), s.Offset),
            ParameterPart.Moment1 => (OnDemand(ref moment1, "first moments"), s.Offset),
            ParameterPart.Moment2 => (OnDemand(ref moment2, "second moments"), s.Offset),
            _ => s.TeacherOffset >= 0 ? (teacher, s.TeacherOffset) : (values, s.Offset),
        };
        return flat with { Offset = offset, Shape = declarations[parameter].Shape };
    }

    /// <summary>The parameter in the flat bfloat16 copy, which is right until the next write.</summary>
    internal TensorRef RoundedPlaceOf(ParameterPart part, int parameter)
    {
        var place = PlaceOf(part, parameter);
        // What the teacher shares lies in the student's buffer, and in the copy of that.
        var flat = place.Storage == teacher.Storage ? roundedTeacher.Of(teacher) : roundedValues.Of(values);
        return flat with { Offset = place.Offset, Shape = place.Shape };
    }

    internal void MarkGradient(int parameter) => hasGradient[parameter] = true;

    private AdamArgs UpdateArgs(AdamOptions options, StepState step) => new()
    {
        Parameters = values.View, Gradients = OnDemand(ref gradients, "parameter gradients").View,
        Moment1 = OnDemand(ref moment1, "first moments").View, Moment2 = OnDemand(ref moment2, "second moments").View,
        Segments = table.View, SegmentCount = segments.Length, Step = step.View,
        Beta1 = options.Beta1, Beta2 = options.Beta2, Epsilon = options.Epsilon, Variant = options.Variant,
        Rounded = roundedValues.Kept(values.Storage!),
    };

    private EmaArgs AverageArgs(StepState step) => new()
    {
        Student = values.View, Teacher = teacher.View, Segments = table.View, SegmentCount = segments.Length,
        Step = step.View, Rounded = roundedTeacher.Kept(teacher.Storage!),
    };

    private TensorRef OnDemand(ref TensorRef part, string name) => part.IsNone ? part = Zeroed(length, name) : part;

    private TensorRef Zeroed(long count, string name)
    {
        var place = Device.AllocateLasting(new Shape(checked((int)Math.Max(Alignment, count))), DType);
        Device.Backend.Fill(new FillArgs { Y = place.View, Count = place.Shape.Count, Value = 0 });
        return place;
    }

    /// <summary>
    /// The table knows which gradients exist. Only what has changed is sent: the counts beside it are the device's, and to
    /// fetch them first would be to wait.
    /// </summary>
    private void SyncTable()
    {
        for (var i = 0; i < segments.Length; i++)
        {
            if (hasGradient[i] == uploaded[i]) continue;
            uploaded[i] = hasGradient[i];
            segments[i].HasGradient = hasGradient[i] ? 1 : 0;
            var place = (long)i * Unsafe.SizeOf<Segment>() + GradientFlagOffset;
            Device.Backend.Upload(
                MemoryMarshal.AsBytes(new ReadOnlySpan<int>(ref segments[i].HasGradient)),
                table.View with { Offset = table.Offset + place });
        }
    }

    private void DownloadTable() =>
        Device.Backend.Download(table.View, MemoryMarshal.AsBytes(segments.AsSpan()));

    private void UploadTable()
    {
        for (var i = 0; i < segments.Length; i++) segments[i].HasGradient = hasGradient[i] ? 1 : 0;
        hasGradient.CopyTo(uploaded.AsSpan());
        Device.Backend.Upload(MemoryMarshal.AsBytes(segments.AsSpan()), table.View);
    }
}

/// <summary>Which flat buffer of a store.</summary>
public enum ParameterPart
{
    /// <summary>The values that are trained.</summary>
    Student,
    /// <summary>The teacher's values (the student's where shared).</summary>
    Teacher,
    /// <summary>Summed gradients, before division and clipping.</summary>
    Gradient,
    /// <summary>Adam's first moment.</summary>
    Moment1,
    /// <summary>Adam's second moment.</summary>
    Moment2,
}
