"""What else people call the concepts of shape, matter, city and light; ``words.py`` reads it."""

from __future__ import annotations

MADE = {
    "abstract shapes": """
        random shapes, geometric shapes, floating shapes, paper cutouts, cut paper, matisse cutouts, a collage,
        confetti, scattered confetti, a pile of shapes, layered shapes, overlapping pieces, cubism, suprematism,
        kandinsky, constructivism, bauhaus, modern art, an abstract composition, abstract forms, geometric
        chaos, blocks and circles, discs and rectangles, squares and circles, a jumble of forms, a heap of
        colourful pieces, scraps of paper, stickers on stickers, a scrapbook, toy blocks, building blocks,
        memphis design, a clutter of objects, coloured patches overlapping, big and small shapes, chaos,
        occluding forms, a patchwork, pieces of a puzzle, malevich, camouflage""",
    "abstract texture": """
        a texture, noise, cloudy noise, perlin noise, static, visual static, a blotchy surface, blotches,
        mottled, a mottled surface, random patches, a rough texture, a grunge texture, stains, a stained sheet,
        a nebulous pattern, something abstract, abstract, an abstraction, an abstract background, a vague blur,
        formless, nothing in particular, an undefined pattern, fractal noise, natural randomness, abstract
        expressionism, an ambient background, a weathered surface, rust, patina, peeling plaster, a dirty wall,
        dream static, subconscious, an indistinct picture, a cloudy pattern, soft blotches, noise without form""",
    "colour gradient": """
        a gradient, gradients, a smooth gradient, a colour fade, a soft blend, blended colours, a colour wash, a
        mesh gradient, a phone wallpaper gradient, soft background colours, a plain soft background, a smooth
        transition, one colour into another, colour field, rothko, james turrell, ambient colour, a mood light,
        a wash of light, pure colour, only colour, colours melting together, colours flowing into each other, a
        simple backdrop, an empty backdrop, airbrushed colour, ombre, a spectrum, a soft rainbow blend, calm
        colours, colour therapy, a colour ramp, diffuse light, an even blend, nothing but colour, a soft light
        background, tinted air, smooth hues, hues sliding into each other, a two colour fade, a blurry colour
        background""",
    "city at night": """
        a city, a town, manhattan, new york, tokyo, shinjuku, hong kong, shanghai, dubai, chicago, las vegas,
        gotham, a cyberpunk city, blade runner, a megacity, high rises, office buildings, apartment blocks, a
        skyscraper, buildings, lit windows, windows at night, a thousand windows, urban life, an urban
        landscape, a cityscape, night in the big city, the city that never sleeps, the financial district, a
        futuristic city, a nightlife district, a harbour front at night, a rooftop view, architecture, neon
        signs, streets at night, a concrete jungle, reflections of a city, a town after nightfall, traffic
        between towers""",
    "neon grid": """
        a grid, retrowave, outrun, vaporwave, an eighties music video, retro futurism, an arcade game, an old
        video game, cyberspace, virtual reality, a glowing floor, a laser grid, a neon landscape, neon lines to
        the horizon, grid lines, a perspective grid, a digital horizon, a striped sun over a grid, miami vice, a
        glowing lattice, a lattice, a retro sun, a holodeck, a virtual world, a synth album cover, a cassette
        cover, electro music, eighties nostalgia, neon, a neon floor, a video game from 1984, driving into a
        virtual dusk, a metaverse, a graph paper world, grid runner, a horizon from the eighties, a glowing wire
        mesh plain, chillwave, a hotline video game""",
    "circuits": """
        a circuit, a pcb, a mainboard, microchips, a processor, a cpu, a computer chip, silicon, semiconductors,
        printed circuits, copper traces, wires, wiring, cables, electronic parts, hardware, inside a computer,
        inside a machine, a robot's brain, artificial intelligence, technology, high tech, tech, a transistor,
        resistors, capacitors, an arduino, soldered joints, an electronic maze, conductive paths, a data
        highway, machine logic, a cybernetic pattern, nanotechnology, engineering, a subway map, an integrated
        circuit, a graphics card, digital electronics""",
    "bokeh lights": """
        bokeh, blurry lights, blurry dots of light, soft lights, glowing discs, soft glowing discs, christmas
        lights, christmas tree lights, a string of lights, lanterns, paper lanterns, unfocused lights, a blurred
        street at night, a blurred background, light through a wide lens, a shallow depth of field, glitter,
        sparkle, sparkles, gold glitter, fireflies, glow worms, a party, a romantic night, champagne lights,
        shimmering lights, twinkly lights, lights seen without glasses, a dreamy light, magic dust, pixie dust,
        circles of light, garden party lights, a ballroom, candlelight far away, lens blur, light orbs, luminous
        circles, warm light spots""",
    "digital rain": """
        the matrix, code, source code, a program, programming, a programmer's screen, a computer screen, glyphs,
        falling symbols, falling letters, letters, text, numbers, digits, ones and zeros, zeros and ones,
        binary, binary code, data, a data stream, streaming data, big data, encrypted data, cryptography, a
        cipher, software, an old monitor, japanese characters falling, katakana, ascii, columns of characters,
        cyber attack, a computer virus, the internet, information, information overload, neo and trinity, the
        simulation, a scrolling console""",
    "light trails": """
        car lights, tail lights, a motorway at night, a freeway, traffic, cars rushing by, a night drive,
        driving fast, racing, a race, a race track at night, fast, motion, motion blur, a time lapse of traffic,
        a long exposure, light streaks, light painting, streaks, glowing lines rushing past, moving lights, rush
        hour, autobahn, velocity, acceleration, speeding, the fast lane, a fast train at night, roads from above
        at night, beams of passing cars, lines of light, zooming, fast and furious, lights rushing past,
        streaking lights, speeding through the night, a road at night, taillights on a curve, lines racing to
        the distance""",
    "fireworks": """
        a firework, a rocket exploding, rockets, bursts of sparks, explosions of colour, new year's eve, happy
        new year, a celebration, the fourth of july, bastille day, bonfire night rockets, guy fawkes night,
        diwali, sylvester, a festival finale, sparklers, a sparkler, roman candles, catherine wheels, a grand
        finale in the sky, crackers, firecrackers, sky rockets, exploding stars of colour, a burst of light,
        sparks raining down, an explosive celebration, a birthday in the sky, midnight celebrations, disneyland
        at night, victory, a bang in the sky, a chrysanthemum of sparks, glittering explosions, festive
        explosions, a shower of sparks, rockets over a lake, a sky full of sparks""",
    "ink in water": """
        ink, a drop of ink, dye in a glass, swirling ink, swirling paint, paint, liquid paint, pigments, colours
        mixing, mixing paint, milk in coffee, milk in tea, fluid, fluids, fluid dynamics, a fluid simulation,
        liquids folding together, liquid light show, a lava lamp, plumes of colour, billowing dye, turbulence,
        turbulent flow, food colouring, a squid's ink, ink blots, a rorschach test, paint pouring, acrylic pour,
        dissolving colours, colours bleeding, chemical clouds, a potion, something dissolving, two liquids
        meeting, holi powder, ink unfolding, swirling liquid, smoke like paint""",
    "laser beams": """
        a laser, a laser show, a beam, a beam of light, beams, rays of light, rays, a searchlight, searchlights,
        a spotlight, a nightclub, a club, a disco, a discotheque, a dance floor, a techno party, a rock concert,
        a stage, a festival stage, a lighting rig, moving heads, berghain, a lighthouse beam, a lighthouse, a
        lightsaber, lightsabers, star wars, a death ray, light through haze, crossing beams, a dj set, an arena
        show, party lights, tomorrowland, jean michel jarre, light cannons, projector beams, light swords, a
        warehouse party, beams cutting through haze""",
    "stripes": """
        a stripe, striped, lines, straight lines, vertical bars, horizontal bars, diagonal lines, zebra skin, a
        zebra crossing, a tiger pattern, a prison uniform, pinstripes, a pinstripe suit, a deckchair, a beach
        awning, a candy cane, a sailor's shirt, a flag, a flag with bars, a picket fence, venetian blinds,
        corduroy, a striped wallpaper, a referee's shirt, linear pattern, lines side by side, ribbons side by
        side, daniel buren, a circus tent, barber pole, a hazard sign, a crosswalk, repeating bars, a loading
        bar, straight bands, piano keys, jail bars, thick and thin bars, a striped shirt""",
    "checkers": """
        a chessboard, a chess board, chess, a game of chess, checks, a checked pattern, checked, squares, a grid
        of squares, alternating squares, a tiled floor, floor tiles, bathroom tiles, a kitchen floor, a ballroom
        floor, a diner floor, gingham, a picnic blanket, a tablecloth, tartan, plaid, a racing flag, a chequered
        flag, the finish line, ska, two tone records, vans shoes, a square pattern, alice in wonderland's floor,
        the black lodge floor, harlequin, diamonds on a jester's suit, a transparent background pattern, a board
        game, a taxi pattern, queen and pawns, square mosaic, croatia's shirt, a tile floor to the horizon,
        squares in two tones""",
    "dots": """
        a dot, points, a pattern of dots, ben day dots, roy lichtenstein, yayoi kusama, damien hirst, a
        dalmatian, a ladybird, a ladybug, a spotted pattern, spotted, spotty, dotty, a spotted dress, minnie
        mouse dress, a leopard, discs in rows, a lattice of discs, round holes, a perforated sheet, perforated
        metal, a colander, an led panel, led wall, led dots, domino pieces, dice, braille, bubble wrap, pebbles
        in rows, buttons, pills, a peg board, coins in rows, round marks, freckles, lego studs, a dotty pattern,
        circles in a grid""",
    "concentric rings": """
        a ring, a circle, circles in circles, an archery target, a dartboard, a shooting target, radar, a radar
        screen, sonar, a sound wave from above, a speaker cone, a vinyl record, grooves of a record, a gong, a
        pebble dropped in a pond, ripples, ripples in a pond, circular waves, circular ripples, expanding
        circles, shockwave rings, a pulse, an echo, echoes, an onion cut open, an agate slice, a zen garden
        circle, a hypnotist's disc, a looney tunes ending, the doppler effect, an orbit, orbits, hoops, hula
        hoops, circles around a centre, a roundel, a porthole, a ripple, wave rings""",
    "spiral": """
        spirals, a vortex of colour, a whirlpool, a whirl, a twister, a maelstrom, swirls, a swirling pattern, a
        helter skelter, a snail shell, a snail, a nautilus, an ammonite, the golden ratio, fibonacci, a fractal
        spiral, hypnosis, hypnotic, hypnotised, dizzy, dizziness, vertigo, spinning, something spinning, a
        spinning top, a pinwheel, a lollipop, a cinnamon roll, a spiral staircase, winding arms, turning round
        and round, twirling, rotation, a curl, water down a drain, twisted rays, a psychedelic swirl, uzumaki, a
        corkscrew, a turbine""",
    "tunnel": """
        a corridor, a hallway, an endless corridor, an endless hallway, a pipe, inside a pipe, a sewer, a subway
        tunnel, a metro tunnel, the underground, a mine shaft, a shaft, a well, an elevator shaft, a portal, a
        stargate, a gateway, a time tunnel, time travel, a near death experience, light at the end, going
        through a gate, a vanishing point, falling down a hole, the rabbit hole, a cave passage, doctor who
        opening, infinite depth, depth, zooming in forever, flying forward, a demoscene effect, a throat, a
        pipeline, a hole, an infinity mirror, 2001 stargate, a birth canal, a wind tunnel""",
    "kaleidoscope": """
        kaleidoscopic, mandalas, a buddhist mandala, a rose window, a cathedral window, stained glass,
        psychedelic, a psychedelic trip, an lsd trip, an acid trip, psytrance, ayahuasca, goa, tibetan pattern,
        islamic ornament, arabesque, an ornament, ornamental pattern, a persian carpet, a persian rug, a doily,
        radial symmetry, a radial pattern, mirrored shapes, mirror images, rotational symmetry, fractal
        symmetry, a flower of life, chakra, meditation, the sixties, a toy with mirrors, a bandana, lace,
        rangoli, a spirograph, hallucination, a mirrored ornament, a spinning mandala""",
    "wave pattern": """
        sound waves, a sound wave, an audio waveform, an oscilloscope, vibrations, a frequency, resonance,
        interference, a moire, bridget riley, op art, an optical illusion, a wavy pattern, wavy, wiggly lines,
        curvy lines, flowing curves, bent lines, contour lines, a topographic map, joy division cover, unknown
        pleasures, a seismograph, a sinus curve, oscillation, a rippled pattern, ripple lines, a zen garden,
        raked sand lines, distorted stripes, warped stripes, strings vibrating, guitar strings, hair strands, a
        music visualizer, a magnetic field, swaying lines, melting lines, lines swinging together""",
    "triangles": """
        a triangle, triangular, triangular tiles, a triangle pattern, low poly, a low poly background, facets,
        facet, origami, folded paper, a pyramid, pyramids, tetrahedrons, geodesic, a geodesic dome, buckminster
        fuller, delaunay triangulation, triangulation, mosaic tiles, angular shapes, sharp corners, tangram,
        bunting, pennants, the bermuda triangle, a delta, the illuminati, a prism, polyhedra, a polyhedron,
        geometric facets, a faceted surface, a folded surface, arrowheads, three cornered tiles, a quilt, early
        3d graphics, a playstation one game, a surface of flat triangles, three corners, a facet pattern, shards
        of flat colour""",
    "hexagons": """
        a hexagon, hexagonal, hexagonal tiles, hex tiles, hex grid, a hexagon pattern, a honeycomb grid, honey,
        bees, a bee, wax combs, combs of wax, a honeycomb structure, a wasp nest, an insect eye, a fly's
        compound eye, a force field, an energy shield, a sci fi shield, a sci fi panel, a football pattern,
        graphene, carbon lattice, carbon atoms, benzene, a strategy game map, a board of settlers, the giant's
        causeway, basalt columns, bolts and nuts, chicken wire, a turtle shell, tortoise shell tiles, snake
        scales, scales, chainmail, armour plates, nanotubes, a six sided shape, cells of a honeycomb""",
    "liquid metal": """
        metal, molten metal, chrome, liquid chrome, chromium, silver, liquid silver, melted silver, liquid gold,
        molten gold, polished steel, stainless steel, aluminium, platinum, tin, a mirror, a wavy mirror, a
        distorting mirror, a mirrored surface, reflective, a reflective surface, reflections on metal,
        terminator, the t-1000, gallium, mercury drops, a metallic surface, metallic, a metallic fluid, y2k
        chrome, a car bonnet, a car bumper, a spoon, jeff koons, anish kapoor, cloud gate, a shiny blob,
        something shiny and fluid, foundry pour, heavy metal""",
    "crystals": """
        a crystal, a gem, jewels, a jewel, jewellery, a ruby, rubies, an emerald, emeralds, sapphires, a
        sapphire, amethyst, topaz, opal, rock crystal, a mineral, mineralogy, a crystal cave, a cave of
        crystals, superman's fortress, kryptonite, broken glass, shattered glass, shards, a shattered mirror,
        splinters, cut glass, sugar crystals, salt crystals, a treasure, a treasure chest, precious stones,
        something hard and glittering, facets of a gem, pointed stones, swarovski, healing stones, bismuth,
        fluorite""",
    "marble": """
        a marble floor, a marble column, a marble counter, marble tiles, marble slab, a kitchen worktop, a greek
        temple, a roman temple, a roman bath, a palace floor, the taj mahal, michelangelo's stone, a sculptor's
        stone, travertine, onyx, alabaster, granite, polished stone, a stone slab, veins in stone, stone with
        veins, veined rock, a luxury bathroom, a bank lobby, a hotel lobby, a mausoleum, a tombstone, marbling,
        marbled paper, a marbled endpaper, suminagashi, ebru, natural stone, malachite, soapstone, a classical
        statue's stone, elegant stone, stone with flowing veins, a marble tabletop, swirled stone""",
    "wood grain": """
        boards, floorboards, a wooden floor, parquet, a wooden table, a table top, a desk, walnut, mahogany,
        teak, pine boards, cherry wood, ebony, birch plywood, plywood, a log, a tree stump, a tree trunk cut,
        annual rings, growth rings, a cross section of a trunk, knots in wood, a knot, a carpenter's bench, a
        carpenter's workshop, carpentry, joinery, furniture, a violin's back, a guitar body, a barn door, a
        wooden door, a cabin wall, varnished wood, veneer, a cutting board, ship deck, wooden, a sawn board, the
        grain of walnut, old barn wood, a log cut across""",
    "silk": """
        textiles, velvet, a scarf, a silk scarf, a stage curtain, a theatre curtain, drapes, drapery, a draped
        cloth, bed sheets, satin sheets, linen, a dress, an evening gown, a ball gown, a wedding dress, a veil,
        a sari, a kimono, a flag in the wind, cloth in the wind, folds, soft folds, pleats, creases, crumpled
        cloth, a pillow, tulle, chiffon, taffeta, haute couture, fashion, a smooth sheen, a tent, something soft
        and draped, a robe, rippling cloth, silken, a silky sheen, satin folds, billowing cloth""",
    "oil slick": """
        oil, oil on water, oil on a puddle, gasoline on water, spilled petrol, rainbow sheen, iridescent, an
        iridescent surface, holographic, a hologram, hologram sticker, a prismatic surface, prismatic colours,
        thin film interference, interference colours, mother of pearl, nacre, abalone, a pearl, pearly, an
        opalescent surface, a beetle's shell, a beetle, a butterfly wing, a cd surface, a compact disc, a dvd,
        cellophane, shimmering colours, shifting colours, spectral colours, anodised titanium, unicorn colours,
        heat tinted steel, a chameleon car, fuel floating on water, a film of many colours""",
    "stone wall": """
        a wall, a brick, brickwork, a wall of bricks, a house wall, a fortress, the great wall of china,
        hadrian's wall, a dry stone wall, a garden wall, a dungeon, a prison wall, a cellar, a medieval street,
        a paved street, paving, a cobbled street, cobbles, a cobbled lane, mortar and bricks, mortar joints,
        pink floyd the wall, another brick, a warehouse wall, a factory wall, an alley wall, a stage for
        standup, a chimney stack, rubble, stacked stones, boulders, pebbles, a stone floor, a roman road, a
        bricklayer's work, rows of bricks, rough stones with mortar, worn cobbles""",
}
